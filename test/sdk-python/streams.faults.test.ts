import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Ariftly } from '@ariftly/sdk'
import { byForm, createRandom, createWorld, randomSeed, type ServiceProcess, type World } from '@ariftly/testkit'
import { postNumbered } from '../sdk/post-numbered.ts'
import { startHoppingProxy, type HoppingProxy } from '../support/hopping-proxy.ts'
import { SDK, testVenv } from './venv.ts'

const EVENTS = byForm({ short: 2000, long: 20_000 })
/** The server asks for a wait of one to three seconds after each. */
const CUTS = byForm({ short: 3, long: 60 })
/** Processes that read one after the other, each of which goes on where the one before has ended. */
const RUNS = 2
/** A frame of the stream has at least so many bytes. */
const FRAME_BYTES_MIN = 300
const SHELLS = ['sync', 'async'] as const
const TEST_MS = byForm({ short: 120_000, long: 600_000 })

let world: World
let apiKey: string
let ingest: ServiceProcess
let gateways: ServiceProcess[] = []
let python: string
const readers: ChildProcess[] = []

beforeAll(async () => {
  python = (await testVenv()).python
  world = await createWorld({ env: { DRAIN_MS: '0' } })
  apiKey = await world.apiKey('acme')
  ;[ingest, ...gateways] = await Promise.all([
    world.startService('ingest'),
    world.startService('stream-gateway'),
    world.startService('stream-gateway'),
  ])
}, 300_000)

afterAll(async () => {
  for (const reader of readers) reader.kill('SIGKILL')
  await world?.close()
}, 60_000)

test(
  'a stream in Python gives each event once and in order, over cuts, restarts and the death of a gateway, in both shells',
  async () => {
    const random = createRandom(randomSeed('cuts of the Python SDK'))
    // So many cuts of one run are certain, but for one: the killed gateway may end a connection without a cut.
    const maxBytes = ((EVENTS / RUNS) * FRAME_BYTES_MIN) / (CUTS / 2)
    const way = await startHoppingProxy({
      ports: gateways.map(({ port }) => port),
      random,
      bytes: { min: maxBytes * 0.75, max: maxBytes },
    })
    way.setCutting(true)
    const after = new Date().toISOString()
    const writer = new Ariftly({ baseUrl: ingest.url, apiKey })
    try {
      const [, ...seen] = await Promise.all([
        postNumbered(writer, EVENTS),
        ...SHELLS.map((shell) => readAll(shell, way, after)),
      ])
      for (const numbers of seen) expect(numbers).toEqual(Array.from({ length: EVENTS }, (_, n) => n))
      process.stderr.write(`python stream: ${EVENTS} events in each shell, ${way.cuts} cuts\n`)
      expect(way.cuts).toBeGreaterThanOrEqual(CUTS)
    } finally {
      await writer.close()
      await way.close()
    }
  },
  TEST_MS,
)

async function readAll(shell: string, way: HoppingProxy, after: string): Promise<number[]> {
  const position = join(mkdtempSync(join(tmpdir(), 'python-position-')), 'position')
  const seen: number[] = []
  for (let run = 0; run < RUNS; run += 1) {
    const script = join(import.meta.dirname, 'stream_reader.py')
    const env = { PATH: process.env['PATH'], PYTHONPATH: join(SDK, 'src'), ARIFTLY_API_KEY: apiKey }
    const args = [script, shell, way.url, after, position, String(EVENTS / RUNS)]
    const reader = spawn(python, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    readers.push(reader)
    const ended = once(reader, 'exit')
    for await (const line of createInterface({ input: reader.stdout })) {
      seen.push(Number(line))
      if (shell === 'sync' && seen.length === EVENTS * 0.6) gateways[0]?.kill('SIGKILL')
    }
    expect(await ended).toEqual([0, null])
  }
  return seen
}
