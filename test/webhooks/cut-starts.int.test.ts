import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually, startCuttingProxy, startReceiver, type CuttingProxy, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

let fixture: WorkerWorld
let receiver: Receiver
let way: CuttingProxy

beforeAll(async () => {
  fixture = await createWorkerWorld()
  receiver = await startReceiver()
  const { hostname, port } = new URL(fixture.world.env['DATABASE_URL'] ?? '')
  way = await startCuttingProxy({ host: hostname, port: Number(port) })
})
afterAll(async () => {
  await fixture?.close()
  await receiver?.close()
  await way?.close()
})

test('attempts whose start was committed and not answered are made within seconds, each once', async () => {
  const url = new URL(fixture.world.env['DATABASE_URL'] ?? '')
  url.port = String(way.port)
  let cuts = 0
  way.cutAnswersTo((chunk) => cuts === 0 && chunk.includes('SET started_attempt = d.attempt,') && (cuts += 1) === 1)
  const webhook = await fixture.subscribe({ tenant: 'cut', url: receiver.url })
  await fixture.startWorker({ DATABASE_URL: url.href })
  const events = await fixture.post('cut', 30)
  // Their lease is ten minutes.
  await eventually(async () => (await fixture.states(webhook))['delivered'] === 30, { timeoutMs: 30_000 })
  expect(cuts).toBe(1)
  expect(receiver.requests.map(({ headers }) => String(headers['webhook-id'])).toSorted()).toEqual(
    events.map(({ id }) => id).toSorted(),
  )
})
