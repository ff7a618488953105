import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net'

/** A proxy of several servers: each connection is led to any of them, and cut at any byte. */
export interface HoppingProxy {
  readonly url: string
  /** Connections that were cut in the middle of what they were being sent. */
  readonly cuts: number
  /** Connections that are open now. */
  readonly connections: number
  /** Whether connections made from now on are cut after a drawn number of bytes. */
  setCutting(isCutting: boolean): void
  /** Cuts all connections that are open: by a reset (RST), or by an end (FIN) as if the answer were complete. */
  dropAll(how?: 'reset' | 'end'): void
  close(): Promise<void>
}

/** Options of {@link startHoppingProxy}. */
export interface HoppingProxyOptions {
  readonly ports: readonly number[]
  readonly random: () => number
  /** Bytes to the client before a cut; drawn so that short lives are as likely as long ones. */
  readonly bytes: { readonly min: number; readonly max: number }
  /**
   * No cut between the two line ends of a frame: `@microsoft/fetch-event-source` takes the id as soon as its line is complete, before
   * the event is, so with such a cut it loses that event.
   */
  readonly isSparingFrameEnds?: boolean
  /** Changes the data to clients, chunk by chunk; it must keep the length. */
  readonly change?: (chunk: Buffer) => Buffer
}

const LINE_END = 10

/** Starts it on 127.0.0.1. Half of the cuts are resets, half are ends: clients meet both. */
export async function startHoppingProxy(o: HoppingProxyOptions): Promise<HoppingProxy> {
  const clients = new Set<Socket>()
  let isCutting = false
  let cuts = 0

  const server = createServer((client) => {
    const port = o.ports[Math.floor(o.random() * o.ports.length)] ?? 0
    const target = createConnection({ host: '127.0.0.1', port })
    let left = isCutting ? drawBytes() : Infinity
    const cut = o.random() < 0.5 ? () => client.resetAndDestroy() : () => client.end()
    clients.add(client)
    client.on('data', (chunk) => target.write(chunk))
    target.on('data', (received: Buffer) => {
      if (left <= 0) return
      const chunk = o.change?.(received) ?? received
      if (o.isSparingFrameEnds && chunk[left - 1] === LINE_END && chunk[left] === LINE_END) left += 1
      client.write(chunk.subarray(0, left))
      left -= chunk.length
      if (left > 0) return
      cuts += 1
      client.write('', cut) // Once what may pass has been handed over.
    })
    target.on('error', () => undefined).on('close', () => client.destroy())
    client
      .on('error', () => undefined)
      .on('close', () => {
        clients.delete(client)
        target.destroy()
      })
  })

  function drawBytes(): number {
    const { min, max } = o.bytes
    return Math.ceil(min * (max / min) ** o.random())
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get cuts() {
      return cuts
    },
    get connections() {
      return clients.size
    },
    setCutting(cutting) {
      isCutting = cutting
    },
    dropAll(how = 'reset') {
      for (const client of clients) {
        if (how === 'end') client.destroySoon()
        else client.resetAndDestroy()
      }
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const client of clients) client.destroy()
      await closed
    },
  }
}
