import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newTypeId } from '@ariftly/events'
import { getReplay, insertReplay } from '@ariftly/store/replays'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from '../../webhooks/worker-world.ts'

const HOUR_MS = 3_600_000
/** Webhooks of the loud tenant, each with a replay and a dry run. */
const WEBHOOKS = 30
/** Events of the loud tenant: several slices of each of its replays. */
const LOUD_EVENTS = 3_500
const QUIET_EVENTS = 40

let fixture: WorkerWorld
let receiver: Receiver

beforeAll(async () => {
  ;[fixture, receiver] = await Promise.all([createWorkerWorld(), startReceiver()])
})
afterAll(async () => {
  await Promise.all([fixture?.close(), receiver?.close()])
})

test('replays of many webhooks of one tenant, most of which have too much pending, do not delay the replay of another tenant', async () => {
  await fixture.post('loud', LOUD_EVENTS)
  await fixture.post('quiet', QUIET_EVENTS)
  await fixture.projected(LOUD_EVENTS + QUIET_EVENTS)
  const loud: string[] = []
  for (let number = 0; number < WEBHOOKS; number += 1) {
    // Slow ones: what a replay makes due fills them.
    loud.push(await fixture.subscribe({ tenant: 'loud', url: receiver.url, rateLimit: 1 }))
  }
  const quiet = await fixture.subscribe({ tenant: 'quiet', url: receiver.url })
  // So that the matcher makes no deliveries of events that are in the log already.
  await fixture.world.admin.query(`UPDATE webhooks SET created_at = now() + interval '1 hour'`)
  const ofLoud: { readonly webhookId: string; readonly id: string }[] = []
  for (const webhookId of loud) {
    for (const dryRun of [false, true]) ofLoud.push({ webhookId, id: await replay('loud', webhookId, dryRun) })
  }
  const ofQuiet = await replay('quiet', quiet, false)
  await fixture.startWorker()
  await eventually('its completion', async () => (await getReplayOf('quiet', quiet, ofQuiet))?.state === 'completed')
  await fixture.reaches(quiet, { delivered: QUIET_EVENTS })
  // In the order of creation all of the loud tenant's would be before.
  const ended = await Promise.all(
    ofLoud.map(async ({ webhookId, id }) => (await getReplayOf('loud', webhookId, id))?.state !== 'running'),
  )
  expect(ended).toContain(false)
})

async function replay(tenant: string, webhookId: string, dryRun: boolean): Promise<string> {
  const id = newTypeId('rpl')
  const times = { afterMs: Date.now() - HOUR_MS, beforeMs: Date.now() + HOUR_MS }
  await insertReplay(fixture.world.admin, {
    id,
    tenant,
    webhookId,
    ...times,
    types: null,
    deliveryStatus: null,
    dryRun,
  })
  return id
}

async function getReplayOf(tenant: string, webhookId: string, id: string) {
  return await getReplay(fixture.world.admin, { tenant, webhookId, id })
}
