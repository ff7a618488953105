import { afterAll, expect, test } from '@jest/globals'
import { typeIdToUuid } from '@ariftly/events'
import { createCutWorld } from './cut-world.ts'

const { fixture, receiver, way, env, close } = await createCutWorld()

afterAll(close)

/** What only the statement that queues has. */
const STATEMENTS = { none: 'taken AS (SELECT id FROM picked', task: 'queued_ids AS' }

test.each(['none', 'task'] as const)(
  'deliveries whose queueing was committed and not answered are sent within seconds (ordering %s)',
  async (ordering) => {
    // The first statement of a connection that queues finds deliveries that are due. Other connections commit other work.
    const queueing = new WeakSet<object>()
    let cuts = 0
    way.cutAnswersTo((chunk, connection) => {
      if (chunk.includes(STATEMENTS[ordering])) queueing.add(connection)
      return cuts === 0 && queueing.has(connection) && chunk.includes('COMMIT') && (cuts += 1) === 1
    })
    const tenant = `cut-${ordering}`
    const webhook = await fixture.subscribe({ tenant, url: receiver.url, ordering })
    const worker = await fixture.startWorker(env)
    await fixture.post(tenant, 30)
    // Their lease is ten minutes.
    await fixture.reaches(webhook, { delivered: 30 })
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
