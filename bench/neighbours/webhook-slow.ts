import { compare, type Attack } from './attack.ts'
import { noneLeft, startWebhookVictim } from './webhook-victim.ts'
import { bySize } from '../support/size.ts'

const TENANTS = ['rude-1', 'rude-2'] as const
const WEBHOOKS = bySize({ full: 20, smallest: 2 })
const EVENTS = bySize({ full: 100, smallest: 10 })

/** Two tenants have 20 webhooks each whose receivers answer after 14 s, and 2,000 deliveries: more than a worker's concurrency. */
export const webhookSlow: Attack = {
  name: 'webhook_slow',
  async run(say) {
    const victim = await startWebhookVictim()
    try {
      for (const tenant of TENANTS) await victim.subscribeRude(WEBHOOKS, { tenant, slow: true })
      return await compare({
        measure: () => victim.measure(),
        async attack() {
          await victim.enableRude(true)
          for (const tenant of TENANTS) await victim.postRude(tenant, EVENTS)
          return async () => {
            await victim.enableRude(false)
            await noneLeft(victim.system, `SELECT FROM deliveries WHERE state = 'queued' LIMIT 1`)
          }
        },
        say,
      })
    } finally {
      await victim.close()
    }
  },
}
