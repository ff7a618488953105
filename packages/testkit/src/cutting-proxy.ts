import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP proxy that misbehaves on demand. */
export interface CuttingProxy {
  readonly port: number
  /** Connections that are open now. */
  readonly connections: number
  /** Every connection made from now on is reset once so many bytes have gone to the target; undefined ends that. */
  cutAfterBytes(bytes: number | undefined): void
  /** Nothing passes in either direction; connections stay open and new ones are taken. */
  freeze(): void
  /** What was held back passes. */
  resume(): void
  /** Resets all connections that are open. */
  dropAll(): void
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly target: Socket
}

/**
 * Starts a proxy on 127.0.0.1 in front of `target`. For Postgres, Redis and HTTP; a Kafka client goes on to the address that the
 * broker tells it, past the proxy.
 */
export async function startCuttingProxy(target: {
  readonly host: string
  readonly port: number
}): Promise<CuttingProxy> {
  const pairs = new Set<Pair>()
  let frozen = false
  let limit: number | undefined

  const server = createServer((client) => {
    const pair = { client, target: createConnection(target) }
    pairs.add(pair)
    relay(client, pair.target, limit, () => {
      reset(pair)
    })
    relay(pair.target, client, undefined, () => undefined)
    for (const socket of [client, pair.target]) {
      if (frozen) socket.pause()
      socket.on('error', () => undefined) // Its `close` follows.
      socket.on('close', () => {
        reset(pair)
      })
    }
  })

  function reset(pair: Pair): void {
    if (!pairs.delete(pair)) return
    pair.client.resetAndDestroy()
    pair.target.destroy()
  }

  function forAll(act: (socket: Socket) => void): void {
    for (const pair of pairs) {
      act(pair.client)
      act(pair.target)
    }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size
    },
    cutAfterBytes: (bytes) => {
      limit = bytes
    },
    freeze: () => {
      frozen = true
      forAll((socket) => socket.pause())
    },
    resume: () => {
      frozen = false
      forAll((socket) => socket.resume())
    },
    dropAll: () => {
      for (const pair of pairs) reset(pair)
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const pair of pairs) reset(pair)
      await closed
    },
  }
}

function relay(from: Socket, to: Socket, limit: number | undefined, cut: () => void): void {
  let left = limit
  from.on('data', (chunk: Buffer) => {
    const passing = left === undefined ? chunk : chunk.subarray(0, left)
    to.write(passing)
    if (left === undefined) return
    left -= passing.length
    if (left === 0) to.write('', cut) // Once what may pass has been handed over.
  })
  from.on('end', () => to.end())
}
