import { runService } from '@ariftly/http'
import { projectorConfig } from './config.ts'
import { start } from './service.ts'

await runService({ name: 'projector', config: projectorConfig, start })
