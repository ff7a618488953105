import { runService } from '@ariftly/http'
import { databaseConnection } from '@ariftly/runtime'
import { onKnownSchema } from '@ariftly/store'
import { start, webhookWorkerConfig } from './service.ts'

await runService({
  name: 'webhook-worker',
  config: webhookWorkerConfig,
  start: onKnownSchema(databaseConnection, start),
})
