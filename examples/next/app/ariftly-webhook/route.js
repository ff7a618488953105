// Receives webhooks in Next (app router).
import { webhookRoute } from '@ariftly/sdk/next'

const secrets = (process.env.WEBHOOK_SECRET ?? '').split(',')

export const POST = webhookRoute({ secrets }, ({ event }) => {
  console.log(`${event.type} ${event.id}`)
})
