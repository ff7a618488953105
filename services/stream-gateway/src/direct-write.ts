import type { Socket } from 'node:net'

/**
 * `socket.write` keeps order, callbacks and high water marks, which costs about a third of the system call again when a
 * thousand sockets get one small Buffer each (docs/performance/streaming.md). This calls what `socket.write` calls in the end.
 * That is no public interface of node, so it is used only where everything looks as expected; for a socket with anything
 * unsent, and any other kind of socket (TLS), there is `socket.write`.
 */
export interface DirectHandle {
  writeBuffer(request: WriteRequest, buffer: Buffer): number
  readonly writeQueueSize: number
}

/** Who wrote a block that the kernel did not take at once. */
export interface DirectWriter {
  /** The kernel has taken it; below 0 it never will, as the connection is broken. */
  onTaken(status: number): void
}

/** The handle of a socket that can be written to so; undefined of any other, and where node is not what it was. */
export function directHandleOf(socket: Socket): DirectHandle | undefined {
  if (NODE === undefined) return undefined
  const { _handle: handle } = socket as unknown as { _handle?: Partial<DirectHandle> | null }
  if (handle?.constructor.name !== 'TCP') return undefined
  const { writeBuffer, writeQueueSize } = handle
  return typeof writeBuffer === 'function' && typeof writeQueueSize === 'number' ? (handle as DirectHandle) : undefined
}

/**
 * Answers how many bytes the kernel has not taken. While there are any, nothing is to be written so, and `writer` is called
 * when there are none. Below 0 the connection is broken.
 */
export function writeDirectly(handle: DirectHandle, block: Buffer, writer: DirectWriter): number {
  if (NODE === undefined || request === undefined) return -1
  if (handle.writeBuffer(request, block) !== 0) {
    request = new NODE.WriteWrap()
    return -1
  }
  if (NODE.streamBaseState[NODE.kLastWriteWasAsync] === 0) return 0
  request.buffer = block
  request.oncomplete = (status) => writer.onTaken(status)
  request = new NODE.WriteWrap()
  return handle.writeQueueSize
}

interface WriteRequest {
  oncomplete?: (status: number) => void
  /** Keeps the memory of a write that is under way. */
  buffer?: Buffer
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest
  /** Numbers that a call leaves behind; at `kLastWriteWasAsync` whether the kernel has not taken all. */
  readonly streamBaseState: Int32Array
  readonly kLastWriteWasAsync: number
}

const NODE = findStreamBinding()

/** Of the next write, whatever its socket: node does not touch it when the kernel takes all at once, as it nearly always does. */
let request = NODE && new NODE.WriteWrap()

function findStreamBinding(): StreamBinding | undefined {
  try {
    const node = process as unknown as { binding(name: string): Partial<StreamBinding> }
    const found = node.binding('stream_wrap')
    const isSound = typeof found.WriteWrap === 'function' && typeof found.kLastWriteWasAsync === 'number'
    return isSound && found.streamBaseState !== undefined ? (found as StreamBinding) : undefined
  } catch {
    return undefined
  }
}
