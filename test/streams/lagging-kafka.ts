import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'

/** A proxy of a Kafka broker that delays records. */
export interface LaggingKafka {
  /** For KAFKA_BROKERS. */
  readonly address: string
  /** Answers that were held back so far. */
  readonly delayed: number
  close(): Promise<void>
}

const FETCH = 1

/**
 * A proxy of one broker that gives clients its own address. Fetched records are delayed by `delayMs`; all else passes immediately,
 * so that the client stays a member of its group and only lags.
 */
export async function startLaggingKafka(broker: {
  readonly host: string
  readonly port: number
  readonly delayMs: number
}): Promise<LaggingKafka> {
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  let delayed = 0

  const server = createServer((client) => {
    const target = createConnection(broker)
    const fetches = new Set<number>()
    join(client, target)
    onFrames(client, (frame) => {
      if (frame.readInt16BE(4) === FETCH) fetches.add(frame.readInt32BE(8))
      target.write(frame)
    })
    onFrames(target, (frame) => {
      if (fetches.delete(frame.readInt32BE(4))) later(() => client.write(frame))
      else client.write(renamed(frame))
    })
  })

  function join(client: Socket, target: Socket): void {
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined) // Its `close` follows.
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  }

  function later(act: () => void): void {
    delayed += 1
    const timer = setTimeout(() => {
      timers.delete(timer)
      act()
    }, broker.delayMs)
    timers.add(timer)
  }

  /** The broker's own address in an answer (metadata, coordinator) becomes ours, which has the same length. */
  function renamed(frame: Buffer): Buffer {
    const theirs = addressBytes(broker.host, broker.port)
    for (let at = frame.indexOf(theirs); at !== -1; at = frame.indexOf(theirs, at + 1)) {
      frame.writeInt32BE(port, at + broker.host.length)
    }
    return frame
  }

  server.listen(0, broker.host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `${broker.host}:${port}`,
    get delayed() {
      return delayed
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const timer of timers) clearTimeout(timer)
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** A host and its port, as the Kafka protocol writes them one after another. */
function addressBytes(host: string, port: number): Buffer {
  const bytes = Buffer.alloc(host.length + 4)
  bytes.write(host, 'latin1')
  bytes.writeInt32BE(port, host.length)
  return bytes
}

/** Calls `take` with each complete message of a connection, its four bytes of length included. */
function onFrames(socket: Socket, take: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0)
      take(Buffer.from(rest.subarray(0, end)))
      rest = rest.subarray(end)
    }
  })
}
