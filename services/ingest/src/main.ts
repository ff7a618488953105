import { runService } from '@ariftly/http'
import { ingestConfig } from './config.ts'
import { start } from './service.ts'

await runService({ name: 'ingest', config: ingestConfig, start })
