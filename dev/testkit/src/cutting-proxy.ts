import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A TCP proxy that misbehaves on demand. */
export interface CuttingProxy {
  readonly port: number
  /** Connections that are open now. */
  readonly connections: number
  /** Every later connection is reset once this many bytes were sent to the target; undefined ends that. */
  cutAfterBytes(bytes: number | undefined): void
  /**
   * A connection is reset instead of the answer to a request that `isRequest` accepts; undefined ends that. It is called with each
   * chunk sent to the target, and an object that is the same for all chunks of a connection.
   */
  cutAnswersTo(isRequest: ((chunk: Buffer, connection: object) => boolean) | undefined): void
  /** Delays data to the client by `ms`, on connections of which `isRequest` accepted a request; 0 ends that. */
  delayAnswersTo(isRequest: (chunk: Buffer) => boolean, ms: number): void
  /** Nothing passes in either direction; connections stay open and new ones are taken. */
  freeze(): void
  /** What was held back passes. */
  resume(): void
  /** Nothing passes on the connections that are open, which stay open; new ones pass, as if another host had taken the address. */
  freezeOpen(): void
  /** Resets all connections that are open. */
  dropAll(): void
  /** Resets all connections, and refuses new ones until `accept`. */
  refuse(): Promise<void>
  /** Takes connections again, on the same port. */
  accept(): Promise<void>
  /** Resets all connections; new ones lead to another address. */
  leadTo(target: Pick<ProxyTarget, 'host' | 'port'>): void
  /** New connections lead to another address; open ones are kept. */
  leadNewTo(target: Pick<ProxyTarget, 'host' | 'port'>): void
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly target: Socket
}

/** Where a proxy leads. */
export interface ProxyTarget {
  readonly host: string
  readonly port: number
  /** Changes the data to the client, chunk by chunk. */
  readonly answers?: (chunk: Buffer) => Buffer
}

/**
 * Starts a proxy on 127.0.0.1 in front of `target`. A Kafka client would bypass it, as it connects to the address that the broker
 * gives: use {@link startKafkaProxy}.
 */
export async function startCuttingProxy(target: ProxyTarget): Promise<CuttingProxy> {
  const pairs = new Set<Pair>()
  let frozen = false
  let limit: number | undefined
  let losesAnswer: ((chunk: Buffer, connection: object) => boolean) | undefined
  let delayed: ((chunk: Buffer) => boolean) | undefined
  let delayMs = 0
  let { host, port: targetPort } = target

  const server = createServer((client) => {
    const pair = { client, target: createConnection({ host, port: targetPort }) }
    pairs.add(pair)
    let isAnswerLost = false
    let isDelayed = false
    const request = (chunk: Buffer): Buffer => {
      isAnswerLost ||= losesAnswer?.(chunk, pair) ?? false
      isDelayed ||= delayed?.(chunk) ?? false
      return chunk
    }
    const answer = (chunk: Buffer): Buffer => {
      if (!isAnswerLost) return target.answers?.(chunk) ?? chunk
      reset(pair)
      return Buffer.alloc(0)
    }
    relay(client, pair.target, { limit, cut: () => reset(pair), change: request })
    relay(pair.target, client, { change: answer, delayMs: () => (isDelayed ? delayMs : 0) })
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

  async function close(): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const pair of pairs) reset(pair)
    await closed
  }

  async function listen(port: number): Promise<void> {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }

  function leadNewTo(next: Pick<ProxyTarget, 'host' | 'port'>): void {
    host = next.host
    targetPort = next.port
  }

  await listen(0)
  const port = portOf(server)
  return {
    port,
    get connections() {
      return pairs.size
    },
    cutAfterBytes: (bytes) => {
      limit = bytes
    },
    cutAnswersTo: (isRequest) => {
      losesAnswer = isRequest
    },
    delayAnswersTo: (isRequest, ms) => {
      delayed = isRequest
      delayMs = ms
    },
    freeze: () => {
      frozen = true
      forAll((socket) => socket.pause())
    },
    resume: () => {
      frozen = false
      forAll((socket) => socket.resume())
    },
    freezeOpen: () => {
      forAll((socket) => socket.pause())
    },
    dropAll: () => {
      for (const pair of pairs) reset(pair)
    },
    refuse: close,
    accept: () => listen(port),
    leadTo(next) {
      leadNewTo(next)
      for (const pair of pairs) reset(pair)
    },
    leadNewTo,
    close,
  }
}

/** A proxy in front of one broker, or of several clusters of one broker each. */
export interface KafkaProxy extends CuttingProxy {
  /** Resets all connections; new ones lead to another of the brokers. */
  leadToBroker(broker: string): void
}

/**
 * A proxy for one broker: it gives clients its own address instead of the broker's, so that they stay with it. It may be led to
 * one of `others`, each the only broker of another cluster.
 */
export async function startKafkaProxy(broker: string, ...others: readonly string[]): Promise<KafkaProxy> {
  const ports = new Map<string, number>()
  const proxy = await startCuttingProxy({ ...parseAddress(broker), answers: (chunk) => replacePorts(chunk, ports) })
  for (const each of [broker, ...others]) ports.set(each, proxy.port)
  return Object.assign(proxy, { leadToBroker: (next: string) => proxy.leadTo(parseAddress(next)) })
}

/**
 * A proxy for each broker of a cluster, in order: each gives clients the addresses of the proxies instead of the brokers'.
 * `change` is called with each chunk of an answer first.
 */
export async function startKafkaProxies(
  brokers: readonly string[],
  change: (chunk: Buffer) => Buffer = (chunk) => chunk,
): Promise<readonly CuttingProxy[]> {
  const ports = new Map<string, number>()
  const proxies: CuttingProxy[] = []
  for (const broker of brokers) {
    const proxy = await startCuttingProxy({
      ...parseAddress(broker),
      answers: (chunk) => replacePorts(change(chunk), ports),
    })
    proxies.push(proxy)
    ports.set(broker, proxy.port)
  }
  return proxies
}

function parseAddress(broker: string): { readonly host: string; readonly port: number } {
  const [host = '', port = ''] = broker.split(':')
  return { host, port: Number(port) }
}

function replacePorts(chunk: Buffer, ports: ReadonlyMap<string, number>): Buffer {
  for (const [broker, proxyPort] of ports) replacePort(chunk, broker, proxyPort)
  return chunk
}

/** Replaces the port of each address in an answer: the name of the host, and the port in four bytes. */
function replacePort(chunk: Buffer, broker: string, proxyPort: number): void {
  const { host, port } = parseAddress(broker)
  const address = Buffer.concat([Buffer.from(host), int32(port)])
  for (let at = chunk.indexOf(address); at >= 0; at = chunk.indexOf(address, at + 1)) {
    chunk.writeInt32BE(proxyPort, at + address.length - 4)
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

interface RelayOptions {
  readonly limit?: number | undefined
  readonly cut?: () => void
  readonly change?: (chunk: Buffer) => Buffer
  readonly delayMs?: () => number
}

function relay(from: Socket, to: Socket, { limit, cut, change = (chunk) => chunk, delayMs }: RelayOptions): void {
  let left = limit
  const pass = (chunk: Buffer): void => {
    const ms = delayMs?.() ?? 0
    if (ms === 0) to.write(chunk)
    else setTimeout(() => to.write(chunk), ms)
  }
  from.on('data', (chunk: Buffer) => {
    const passing = left === undefined ? chunk : chunk.subarray(0, left)
    pass(change(passing))
    if (left === undefined) return
    left -= passing.length
    if (left === 0) to.write('', cut) // Once what may pass has been handed over.
  })
  from.on('end', () => to.end())
}
