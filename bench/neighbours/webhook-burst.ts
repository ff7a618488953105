import { compare, type Attack } from './attack.ts'
import { noneLeft, startWebhookVictim } from './webhook-victim.ts'
import { bySize } from '../support/size.ts'

const WEBHOOKS = bySize({ full: 100, smallest: 10 })
const EVENTS = bySize({ full: 1_000, smallest: 50 })

/** A tenant with 100 webhooks posts 1,000 events together: 100,000 deliveries to be matched. The control: no webhook matches. */
export const webhookBurst: Attack = {
  name: 'webhook_burst',
  async run(say) {
    const victim = await startWebhookVictim()
    try {
      await victim.subscribeRude(WEBHOOKS, { tenant: 'rude', rateLimit: 1, ordering: 'task' })
      return await compare({
        measure: () => victim.measure(),
        async attack() {
          await victim.enableRude(true)
          await victim.postRude('rude', EVENTS)
          return async () => {
            await victim.enableRude(false)
            await noneLeft(victim.system, 'SELECT FROM match_backlogs LIMIT 1')
          }
        },
        async control() {
          await victim.postUnwanted('rude', EVENTS)
          return async () => {}
        },
        say,
      })
    } finally {
      await victim.close()
    }
  },
}
