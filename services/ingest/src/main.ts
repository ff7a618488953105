import { runService } from '@ariftly/http'
import { databaseConnection } from '@ariftly/runtime'
import { onKnownSchema } from '@ariftly/store'
import { ingestConfig } from './config.ts'
import { markLater } from './mark-later.ts'
import { start } from './service.ts'

markLater()
await runService({ name: 'ingest', config: ingestConfig, start: onKnownSchema(databaseConnection, start) })
