// Receives webhooks with express. PORT=3000 WEBHOOK_SECRET=whsec_… node receiver-express.mjs
import express from 'express'
import { webhookHandler } from '@ariftly/sdk/express'

const secrets = (process.env.WEBHOOK_SECRET ?? '').split(',')
const seen = new Set() // In production: a table with a unique key.
const app = express()

app.post(
  '/ariftly-webhook',
  webhookHandler({ secrets }, ({ id, event }) => {
    if (seen.has(id)) return
    seen.add(id)
    console.log(`${event.type} ${event.id}`)
  }),
)
app.listen(process.env.PORT, () => console.log('ready'))
