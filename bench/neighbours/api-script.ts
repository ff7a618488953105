import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pin } from '../ingest/worker.ts'
import { CPU } from '../streams/system.ts'
import { API_KEY, startBenchStack } from '../support/bench-stack.ts'
import { compare, type Attack } from './attack.ts'
import { repeat } from './stream-victim.ts'

const REQUESTS = 300
const PAUSE_MS = 10
/** Connections of the strangers: 40 a second, each of which leaves after a second. */
const EVERY_MS = 25
const STAYS_MS = 1000

/**
 * Strangers ask for the script of the reference without gzip and read nothing, while a tenant reads its API key. The control is the same
 * with gzip: connections, requests and 0.9 of the 3.3 MB for each.
 */
export const apiScript: Attack = {
  name: 'api_script',
  async run(say) {
    return await startBenchStack(
      { parts: ['kafka', 'postgres'], env: { LOG_LEVEL: 'warn', DRAIN_MS: '0' } },
      async (bench) => {
        try {
          const api = await bench.start('api')
          pin(api.pid, CPU.measured)
          return await compare({
            measure: () => measure(api.url),
            control: async () => ask(api.port, 'Accept-Encoding: gzip\r\n'),
            attack: async () => ask(api.port, ''),
            say,
          })
        } finally {
          await bench.close()
        }
      },
    )
  },
}

/** Waits for the answers of one window, ms. */
async function measure(url: string): Promise<readonly number[]> {
  const waitsMs: number[] = []
  for (let sent = 0; sent < REQUESTS; sent += 1) {
    const startedMs = performance.now()
    const response = await fetch(`${url}/v1/api-keys/current`, { headers: { authorization: `Bearer ${API_KEY}` } })
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`the api answered ${response.status}`)
    waitsMs.push(performance.now() - startedMs)
    await sleep(PAUSE_MS)
  }
  return waitsMs
}

function ask(port: number, headers: string): () => Promise<void> {
  const leaving = new Set<Promise<void>>()
  const end = repeat(async () => {
    const left = askOnce(port, headers)
    leaving.add(left)
    void left.then(() => leaving.delete(left))
    await sleep(EVERY_MS)
  })
  return async () => {
    await end()
    await Promise.all(leaving)
  }
}

async function askOnce(port: number, headers: string): Promise<void> {
  const socket = connect(port, '127.0.0.1').pause()
  socket.on('error', () => undefined)
  socket.write(`GET /docs/reference.js HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
  await sleep(STAYS_MS)
  socket.destroy()
}
