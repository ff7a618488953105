import { setTimeout as sleep } from 'node:timers/promises'
import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { insertRedelivery } from '@ariftly/store/redeliveries'
import { compare, type Attack } from './attack.ts'
import { noneLeft, startWebhookVictim, type WebhookVictim } from './webhook-victim.ts'

const DELIVERIES = 150_000
const DELIVERIES_PER_INSERT = 10_000
/** How often the maximum of a tenant's dry runs is started. */
const ASK_EVERY_MS = 100

/** A tenant has 150,000 deliveries that failed, and ten dry runs of redeliveries over them at any time. The control: none. */
export const webhookDryRuns: Attack = {
  name: 'webhook_dry_runs',
  async run(say) {
    const victim = await startWebhookVictim()
    try {
      const webhookId = await insertFailed(victim)
      return await compare({
        measure: () => victim.measure(),
        attack: () => begin(victim, webhookId),
        control: async () => async () => {},
        say,
      })
    } finally {
      await victim.close()
    }
  },
}

/** Asks for dry runs until it is ended, and waits for the last ones. */
async function begin({ system }: WebhookVictim, webhookId: string): Promise<() => Promise<void>> {
  const filter = JSON.stringify({ webhook_id: webhookId, status: 'failed' })
  const ending = new AbortController()
  const asking = ask()

  async function ask(): Promise<void> {
    while (!ending.signal.aborted) {
      const row = await insertRedelivery(system.pool, { id: newTypeId('rdl'), tenant: 'rude', filter, dryRun: true })
      if (row === 'under_way') await sleep(ASK_EVERY_MS)
    }
  }

  return async function end() {
    ending.abort()
    await asking
    await system.pool.query(`UPDATE redeliveries SET state = 'cancelled', finished_at = now() WHERE state = 'running'`)
    await noneLeft(system, `SELECT FROM redeliveries WHERE state = 'running' LIMIT 1`)
  }
}

async function insertFailed({ system }: WebhookVictim): Promise<string> {
  const nowMs = Date.now()
  const webhookId = await system.subscribe({ tenant: 'rude', agent: 'failed', url: 'http://127.0.0.1:9/' })
  await system.pool.query('SELECT ensure_delivery_partitions($1, $1)', [nowMs])
  for (let from = 0; from < DELIVERIES; from += DELIVERIES_PER_INSERT) {
    await system.pool.query(
      `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", state,
                               finished_at, created_at, attempt, attempt_count, last_attempt_at, last_error_class)
       SELECT (substr($1::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid, 'rude', $2, $1::uuid, 'task.progress', 'task', 1, 0,
              $3::int + n, 'failed', now(), now(), 13, 13, now(), 'timeout'
         FROM generate_series(1, ${DELIVERIES_PER_INSERT}) AS n`,
      [typeIdToUuid('evt', newEventId(nowMs)), typeIdToUuid('whk', webhookId), from],
    )
  }
  return webhookId
}
