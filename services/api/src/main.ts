import { runService } from '@ariftly/http'
import { apiConfig } from './config.ts'
import { start } from './service.ts'

await runService({ name: 'api', config: apiConfig, start })
