import { runService } from '@ariftly/http'
import { databaseConnection } from '@ariftly/runtime'
import { onKnownSchema } from '@ariftly/store'
import { projectorConfig } from './config.ts'
import { start } from './service.ts'

await runService({ name: 'projector', config: projectorConfig, start: onKnownSchema(databaseConnection, start) })
