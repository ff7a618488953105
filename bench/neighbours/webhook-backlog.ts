import { compare, type Attack } from './attack.ts'
import { noneLeft, startWebhookVictim } from './webhook-victim.ts'
import { bySize } from '../support/size.ts'

const WEBHOOKS = bySize({ full: 20, smallest: 2 })
/** Of each webhook, in tasks of a hundred. */
const BACKLOG = bySize({ full: 20_000, smallest: 500 })

/** A tenant has 20 ordered webhooks with 20,000 pending deliveries each and a rate limit of one a second. */
export const webhookBacklog: Attack = {
  name: 'webhook_backlog',
  async run(say) {
    const victim = await startWebhookVictim()
    try {
      await victim.subscribeRude(WEBHOOKS, { tenant: 'rude', rateLimit: 1, ordering: 'task' })
      await victim.postRude('rude', 1)
      await noneLeft(
        victim.system,
        `SELECT count(*) FROM deliveries WHERE tenant_id = 'rude' HAVING count(*) < ${WEBHOOKS}`,
      )
      await victim.enableRude(false)
      for (let from = 0; from < BACKLOG; from += 1_000) {
        await victim.system.pool.query(
          `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, ordering_key, epoch, partition, "offset", due_at)
           SELECT (substr(d.id::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid, d.tenant_id, d.webhook_id,
                  d.event_id, d.event_type, 'task-' || n / 100, d.epoch, d.partition, 1000 + n, now()
             FROM (SELECT DISTINCT ON (webhook_id) * FROM deliveries WHERE tenant_id = 'rude' ORDER BY webhook_id, "offset") d,
                  generate_series($1::int + 1, $1::int + 1000) AS n`,
          [from],
        )
      }
      return await compare({
        measure: () => victim.measure(),
        async attack() {
          await victim.enableRude(true)
          return () => victim.enableRude(false)
        },
        say,
      })
    } finally {
      await victim.close()
    }
  },
}
