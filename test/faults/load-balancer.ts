import { once } from 'node:events'
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A load balancer: round robin among the replicas that were ready at the last poll, without retries. */
export interface LoadBalancer {
  readonly url: string
  /** Requests that failed between the front and a replica: the client was answered 502, or its answer was cut. Streams are cut too. */
  readonly failures: readonly string[]
  add(replicaUrl: string): void
  remove(replicaUrl: string): void
  /** Whether the replica gets requests. */
  isUsed(replicaUrl: string): boolean
  close(): Promise<void>
}

const POLL_MS = 50
/** Replicas on a busy machine answer late; a dead one refuses immediately. */
const POLL_TIMEOUT_MS = 10_000

/** Starts it on 127.0.0.1. Connections to replicas are kept until one answers `Connection: close`. */
export async function startLoadBalancer(): Promise<LoadBalancer> {
  const agent = new Agent({ keepAlive: true })
  const known = new Set<string>()
  const ready = new Set<string>()
  const failures: string[] = []
  const over = new AbortController()
  let turn = 0

  const server = createServer((req, res) => {
    const replicas = [...ready]
    const replica = replicas[turn++ % replicas.length]
    if (replica === undefined) fail(res, `${req.method} ${req.url}: no replica is ready`)
    else pass(req, res, replica)
  })

  function pass(req: IncomingMessage, res: ServerResponse, replica: string): void {
    const { method, url, headers } = req
    const passed = request(`${replica}${url}`, { method, headers: withoutHop(headers), agent })
    passed.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, withoutHop(answer.headers))
      res.flushHeaders()
      answer.pipe(res)
      answer.on('error', () => res.destroy())
    })
    passed.on('error', (error) => {
      if (!res.destroyed) fail(res, `${method} ${url} to ${replica}: ${error.message}`)
    })
    res.on('close', () => passed.destroy())
    req.on('error', () => passed.destroy())
    req.pipe(passed)
  }

  function fail(res: ServerResponse, what: string): void {
    failures.push(what)
    if (res.headersSent) res.destroy()
    else res.writeHead(502).end(what)
  }

  async function watch(replica: string): Promise<void> {
    while (known.has(replica) && !over.signal.aborted) {
      if (await isReady(replica)) ready.add(replica)
      else ready.delete(replica)
      await sleep(POLL_MS)
    }
    ready.delete(replica)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const watching: Promise<void>[] = []
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failures,
    add(replica) {
      known.add(replica)
      watching.push(watch(replica))
    },
    remove(replica) {
      known.delete(replica)
    },
    isUsed: (replica) => ready.has(replica),
    async close() {
      over.abort()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await Promise.all([closed, ...watching])
    },
  }
}

async function isReady(replica: string): Promise<boolean> {
  try {
    return (await fetch(`${replica}/readyz`, { signal: AbortSignal.timeout(POLL_TIMEOUT_MS) })).ok
  } catch {
    return false
  }
}

/** RFC 9110, 7.6.1: these are between two neighbours and are not passed on. */
function withoutHop<H extends IncomingMessage['headers']>(headers: H): H {
  const passed = { ...headers }
  for (const name of ['connection', 'keep-alive', 'transfer-encoding'] as const) delete passed[name]
  return passed
}
