import { runService } from '@ariftly/http'
import { start, webhookWorkerConfig } from './service.ts'

await runService({ name: 'webhook-worker', config: webhookWorkerConfig, start })
