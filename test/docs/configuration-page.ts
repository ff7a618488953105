import { apiConfig } from '@ariftly-services/api'
import { ingestConfig } from '@ariftly-services/ingest'
import { migrateConfig } from '@ariftly-services/migrate'
import { projectorConfig } from '@ariftly-services/projector'
import { streamGatewayConfig } from '@ariftly-services/stream-gateway'
import { webhookWorkerConfig } from '@ariftly-services/webhook-worker'
import {
  databaseConfig,
  describeConfig,
  kafkaConfig,
  listenConfig,
  redisConfig,
  settings,
  tracingConfig,
  type ConfigSpec,
} from '@ariftly/runtime'

type Section = readonly [title: string, spec: ConfigSpec]

const SERVICES: readonly Section[] = [
  ['ingest', ingestConfig],
  ['projector', projectorConfig],
  ['api', apiConfig],
  ['stream-gateway', streamGatewayConfig],
  ['webhook-worker', webhookWorkerConfig],
  ['migrate', migrateConfig],
]

/** Settings that are read together. */
const COMMON: readonly Section[] = [
  ['Kafka: every service', kafkaConfig],
  ['Postgres: every service', databaseConfig],
  ['Redis: webhook-worker and `migrate --check`', redisConfig],
  [
    'Where a service listens, what it logs and how it ends: every service',
    { ...listenConfig, LOG_LEVEL: settings.LOG_LEVEL },
  ],
  ['Traces: every service', tracingConfig],
]

/** docs/configuration.md, made from what the services read. Each setting is listed once. */
export function renderConfigurationPage(): string {
  const common = new Set(COMMON.flatMap(([, spec]) => Object.keys(spec)))
  const own = SERVICES.map(([name, spec]): Section => [name, pick(spec, (setting) => !common.has(setting))])
  const readers = readersOf(own)
  const isShared = (setting: string): boolean => (readers.get(setting) ?? []).length > 1
  // Of a setting that services read differently the first one: `migrate`, the last, needs less than they do.
  const shared = pick(Object.fromEntries(own.toReversed().flatMap(([, spec]) => Object.entries(spec))), isShared)
  const single = own.map(([name, spec]): Section => [name, pick(spec, (setting) => !isShared(setting))])
  return [
    '# Configuration',
    '',
    'Every variable that a service reads, made from its `config.ts`, each once: what every service reads, what several read, then what one reads. An empty variable is an absent one. All faults are reported at once.',
    '`standalone` reads all, `PUBLIC_URL` (where clients reach the API), and `DATA_DIR` (default `.data`), where it keeps keys that it is not given; `npm start` fills in addresses that are missing.',
    '',
    ...COMMON.map(renderSection),
    `## Several services\n\n${withReaders(describeConfig(shared), readers)}`,
    ...single.filter(([, spec]) => Object.keys(spec).length > 0).map(renderSection),
  ].join('\n')
}

function renderSection([title, spec]: Section): string {
  return `## ${title}\n\n${describeConfig(spec)}`
}

function pick(spec: ConfigSpec, isWanted: (setting: string) => boolean): ConfigSpec {
  return Object.fromEntries(Object.entries(spec).filter(([setting]) => isWanted(setting)))
}

/** The services that read each setting. */
function readersOf(sections: readonly Section[]): ReadonlyMap<string, readonly string[]> {
  const readers = new Map<string, string[]>()
  for (const [service, spec] of sections) {
    for (const setting of Object.keys(spec)) readers.set(setting, [...(readers.get(setting) ?? []), service])
  }
  return readers
}

/** The table with a column of the services that read each setting. */
function withReaders(table: string, readers: ReadonlyMap<string, readonly string[]>): string {
  const [head = '', line = '', ...rows] = table.split('\n')
  const named = rows.map((row) => {
    const setting = /^\| `(\w+)`/.exec(row)?.[1]
    return setting === undefined ? row : `${row} ${(readers.get(setting) ?? []).join(', ')} |`
  })
  return [`${head} read by |`, `${line} --- |`, ...named].join('\n')
}
