import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
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

/** What only the statement that queues has. */
const STATEMENTS = { none: 'taken AS (SELECT id FROM picked', task: 'queued_ids AS' }

test.each(['none', 'task'] as const)(
  'deliveries whose queueing was committed and not answered are sent within seconds (ordering %s)',
  async (ordering) => {
    const url = new URL(fixture.world.env['DATABASE_URL'] ?? '')
    url.port = String(way.port)
    // The first statement of a connection that queues finds deliveries that are due. Other connections commit other work.
    const queueing = new WeakSet<object>()
    let cuts = 0
    way.cutAnswersTo((chunk, connection) => {
      if (chunk.includes(STATEMENTS[ordering])) queueing.add(connection)
      return cuts === 0 && queueing.has(connection) && chunk.includes('COMMIT') && (cuts += 1) === 1
    })
    const tenant = `cut-${ordering}`
    const webhook = await fixture.subscribe({ tenant, url: receiver.url, ordering })
    const worker = await fixture.startWorker({ DATABASE_URL: url.href })
    await fixture.post(tenant, 30)
    // Their lease is ten minutes.
    await eventually(async () => (await fixture.states(webhook))['delivered'] === 30, { timeoutMs: 30_000 })
    expect(cuts).toBe(1)
    // What was queued by that commit has another attempt number.
    const { rows } = await fixture.world.admin.query(
      'SELECT count(*) > 0 AS taken_back FROM deliveries WHERE webhook_id = $1 AND attempt > 1',
      [typeIdToUuid('whk', webhook)],
    )
    expect(rows).toEqual([{ taken_back: true }])
    await worker.close()
  },
)
