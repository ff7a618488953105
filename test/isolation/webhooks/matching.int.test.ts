import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import { byForm, startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, soon, type WorkerWorld } from '../../webhooks/worker-world.ts'

const WEBHOOKS = 100
/** The long form writes 700,000 deliveries. */
const BURST = byForm({ short: 400, long: 7_000 })

describe('matching', () => {
  let fixture: WorkerWorld
  let receiver: Receiver

  beforeAll(async () => {
    fixture = await createWorkerWorld()
  }, 60_000)
  afterAll(() => fixture?.close(), 60_000)
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(() => receiver.close())

  test(
    'a burst for a hundred webhooks of one tenant is matched in parts, and the events of another behind it come first',
    async () => {
      const loud: string[] = []
      for (let number = 0; number < WEBHOOKS; number += 1) {
        loud.push(await fixture.subscribe({ tenant: 'loud', url: receiver.url, rateLimit: 1, ordering: 'task' }))
      }
      const quiet = await fixture.subscribe({ tenant: 'quiet', url: receiver.url })
      // All of one task, so in one partition; before a worker is there, so that it meets the burst whole.
      const burst = await fixture.post('loud', BURST, 1)
      await fixture.post('quiet', 24)
      const worker = await fixture.startWorker()
      await soon(async () => (await fixture.states(quiet))['delivered'] === 24)
      const written = await matched(loud)
      expect(written).toBeLessThan(BURST * WEBHOOKS)

      await soon(async () => (await matched(loud)) === BURST * WEBHOOKS)
      // In the order of the log, across what was matched at once and what was left for later.
      const [first = ''] = loud
      await soon(() => requestsOf(first).length >= 3)
      expect(requestsOf(first)).toEqual(burst.slice(0, requestsOf(first).length).map(({ id }) => id))
      const { rows } = await fixture.world.admin.query('SELECT FROM match_backlogs')
      expect(rows).toEqual([])
      // The tenant's next event is matched at once again.
      await fixture.append([{ ...(burst[0] as (typeof burst)[0]), id: newEventId(Date.now()) }])
      await soon(async () => (await matched(loud)) === (BURST + 1) * WEBHOOKS)
      await worker.close()
    },
    60_000 + BURST * 100,
  )

  function requestsOf(webhookId: string): readonly string[] {
    return receiver.requests
      .filter(({ headers }) => headers['x-ariftly-webhook-id'] === webhookId)
      .map(({ headers }) => String(headers['webhook-id']))
  }

  async function matched(webhookIds: readonly string[]): Promise<number> {
    let count = 0
    for (const id of webhookIds) {
      for (const n of Object.values(await fixture.states(id))) count += n
    }
    return count
  }
})
