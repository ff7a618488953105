import { apiConfig } from '@ariftly-services/api'
import { ingestConfig } from '@ariftly-services/ingest'
import { checkConfig, migrateConfig } from '@ariftly-services/migrate'
import { projectorConfig } from '@ariftly-services/projector'
import { streamGatewayConfig } from '@ariftly-services/stream-gateway'
import { webhookWorkerConfig } from '@ariftly-services/webhook-worker'
import { databaseConfig, kafkaConfig, listenConfig, settings, tracingConfig, type ConfigSpec } from '@ariftly/runtime'

const { LOG_LEVEL } = settings
const SERVED = { ...listenConfig, LOG_LEVEL, ...tracingConfig }

/** What each command of the image reads from its environment. */
const SPECS: Readonly<Record<string, ConfigSpec>> = {
  ingest: { ...ingestConfig, ...SERVED },
  projector: { ...projectorConfig, ...SERVED },
  api: { ...apiConfig, ...SERVED },
  'stream-gateway': { ...streamGatewayConfig, ...SERVED },
  'webhook-worker': { ...webhookWorkerConfig, ...SERVED },
  migrate: { ...migrateConfig, LOG_LEVEL },
  'migrate --check': checkConfig,
  projection: { ...kafkaConfig, ...databaseConfig, DATABASE_ADMIN_URL: settings.DATABASE_ADMIN_URL },
}

/** Variables of the manifests that OpenTelemetry's SDK reads itself. */
const READ_BY_SDK: readonly string[] = ['OTEL_TRACES_SAMPLER', 'OTEL_TRACES_SAMPLER_ARG']

/**
 * The faults of a service's environment in a deployment: a variable that the service does not have (`own`), or that no service
 * has (`shared`), a missing required one, a value that cannot be read.
 */
export function faultsOfEnvironment(
  service: string,
  own: Readonly<Record<string, string>>,
  shared: Readonly<Record<string, string>> = {},
): readonly string[] {
  const spec = SPECS[service]
  if (spec === undefined) return [`${service} is no service`]
  const everything: ConfigSpec = Object.assign({}, ...Object.values(SPECS)) as ConfigSpec
  const env = { ...shared, ...own }
  return [
    ...Object.keys(own)
      .filter((name) => settingOf(spec, name) === undefined)
      .map((name) => `${service} does not read ${name}`),
    ...Object.keys(shared)
      .filter((name) => settingOf(everything, name) === undefined && !READ_BY_SDK.includes(name))
      .map((name) => `no service reads ${name}`),
    ...Object.entries(spec).flatMap(([name, setting]) => {
      const given = name in env || `${name}_FILE` in env
      if (!given && !setting.optional && setting.defaultText === undefined) return [`${service} has no ${name}`]
      const text = env[name]
      const read = text === undefined || text === '' ? undefined : setting.parse(text)
      return read === undefined || read.ok ? [] : [`${service}: ${name} ${read.fault}`]
    }),
  ]
}

/** Only secrets may be in files. */
function settingOf(spec: ConfigSpec, name: string) {
  if (Object.hasOwn(spec, name)) return spec[name]
  const setting = name.endsWith('_FILE') ? spec[name.slice(0, -'_FILE'.length)] : undefined
  return setting?.secret === true ? setting : undefined
}
