import type { Socket } from 'node:net'

/** Writes Buffers to a socket's handle, past the stream machinery of node. */
export interface DirectWriter {
  /** Bytes that the kernel has not taken yet. While there are any, nothing is to be written here. */
  readonly pendingBytes: number
  /** True when the kernel has taken all of it. Else it will, and `onTaken` is called; a broken connection is destroyed. */
  write(block: Buffer): boolean
}

/**
 * `socket.write` keeps order, callbacks and high water marks, which costs about a third of the system call again when a
 * thousand sockets get one small Buffer each (docs/performance/streaming.md). This calls what `socket.write` calls in the end.
 * That is no public interface of node, so it is used only where everything looks as expected, and undefined elsewhere; for
 * a socket with anything unsent, and any other kind of socket (TLS), there is `socket.write`.
 */
export function createDirectWriter(socket: Socket, onTaken: () => void): DirectWriter | undefined {
  const handle = tcpHandleOf(socket)
  if (handle === undefined || NODE === undefined) return undefined
  return new HandleWriter(socket, handle, new NODE.WriteWrap(), onTaken)
}

interface WriteRequest {
  oncomplete(status: number): void
  /** Keeps the memory of a write that is under way. */
  buffer: Buffer | undefined
}

interface TcpHandle {
  writeBuffer(request: WriteRequest, buffer: Buffer): number
  readonly writeQueueSize: number
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest
  /** Numbers that a call leaves behind; at `kLastWriteWasAsync` whether the kernel has not taken all. */
  readonly streamBaseState: Int32Array
  readonly kLastWriteWasAsync: number
}

class HandleWriter implements DirectWriter {
  pendingBytes = 0
  readonly #socket: Socket
  readonly #handle: TcpHandle
  readonly #request: WriteRequest

  constructor(socket: Socket, handle: TcpHandle, request: WriteRequest, onTaken: () => void) {
    this.#socket = socket
    this.#handle = handle
    this.#request = request
    request.oncomplete = (status) => {
      request.buffer = undefined
      this.pendingBytes = 0
      if (status < 0) socket.destroy()
      else onTaken()
    }
  }

  write(block: Buffer): boolean {
    if (this.#handle.writeBuffer(this.#request, block) !== 0) {
      this.#socket.destroy()
      return true
    }
    if (NODE?.streamBaseState[NODE.kLastWriteWasAsync] === 0) return true
    this.#request.buffer = block
    this.pendingBytes = this.#handle.writeQueueSize
    return this.pendingBytes === 0
  }
}

const NODE = findStreamBinding()

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

function tcpHandleOf(socket: Socket): TcpHandle | undefined {
  const { _handle: handle } = socket as unknown as { _handle?: Partial<TcpHandle> | null }
  if (handle?.constructor.name !== 'TCP') return undefined
  const { writeBuffer, writeQueueSize } = handle
  return typeof writeBuffer === 'function' && typeof writeQueueSize === 'number' ? (handle as TcpHandle) : undefined
}
