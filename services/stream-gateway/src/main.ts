import { runService } from '@ariftly/http'
import { databaseConnection } from '@ariftly/runtime'
import { onKnownSchema } from '@ariftly/store'
import { start, streamGatewayConfig } from './service.ts'

await runService({
  name: 'stream-gateway',
  config: streamGatewayConfig,
  start: onKnownSchema(databaseConnection, start),
})
