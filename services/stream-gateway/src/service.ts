import type { Running, ServiceDeps } from '@ariftly/runtime'
import type { StreamGatewayConfig } from './config.ts'

export { streamGatewayConfig, type StreamGatewayConfig } from './config.ts'

/** Starts the stream gateway. */
export async function start(_config: StreamGatewayConfig, _deps: ServiceDeps): Promise<Running> {
  throw new Error('being written')
}
