import { runService } from '@ariftly/http'
import { databaseConnection } from '@ariftly/runtime'
import { onKnownSchema } from '@ariftly/store'
import { apiConfig } from './config.ts'
import { start } from './service.ts'

await runService({ name: 'api', config: apiConfig, start: onKnownSchema(databaseConnection, start) })
