import { apiConfig } from '@ariftly-services/api'
import { ingestConfig } from '@ariftly-services/ingest'
import { migrateConfig } from '@ariftly-services/migrate'
import { projectorConfig } from '@ariftly-services/projector'
import { streamGatewayConfig } from '@ariftly-services/stream-gateway'
import { webhookWorkerConfig } from '@ariftly-services/webhook-worker'
import { describeConfig, listenConfig, redisConfig, tracingConfig, type ConfigSpec } from '@ariftly/runtime'

const SERVICES: readonly (readonly [string, ConfigSpec])[] = [
  ['ingest', ingestConfig],
  ['projector', projectorConfig],
  ['api', apiConfig],
  ['stream-gateway', streamGatewayConfig],
  ['webhook-worker', webhookWorkerConfig],
  ['migrate', migrateConfig],
  ['preflight, besides the settings of migrate', redisConfig],
  ['where every service listens, and how it ends', listenConfig],
  ['traces, of every service', tracingConfig],
]

/** docs/configuration.md, made from what the services read. */
export function renderConfigurationPage(): string {
  const sections = SERVICES.map(([name, spec]) => `## ${name}\n\n${describeConfig(spec)}`)
  return [
    '# Configuration',
    '',
    'Every variable that a service reads, made from its `config.ts`. An empty variable is an absent one. All faults are reported at once.',
    '`standalone` takes those of all, and `DATA_DIR` (default `.data`), where it keeps keys that it is not given; `npm start` fills in addresses that are missing.',
    '',
    ...sections,
  ].join('\n')
}
