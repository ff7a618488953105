import { runService } from '@ariftly/http'
import { start, streamGatewayConfig } from './service.ts'

await runService({ name: 'stream-gateway', config: streamGatewayConfig, start })
