import { isIP } from 'node:net'
import { settings, str, type Setting } from '@ariftly/runtime'

/** The keys and the password that docker-compose.yml has for a machine of one's own. */
const COMPOSE_DEFAULTS = {
  ARIFTLY_BOOTSTRAP_KEY: 'development-only-key-000001',
  ENCRYPTION_KEYS: 'dev:ZGV2ZWxvcG1lbnQtb25seS1kby1ub3QtdXNlLWl0ISE=',
  POSTGRES_PASSWORD: 'ariftly',
} as const

/** Settings by which `migrate` refuses to open an installation to others while its keys are the published ones. */
export const listenHostConfig = {
  LISTEN_HOST: closedWithDefaults(
    str({
      doc: 'Address on which docker compose publishes the API; given to refuse default keys on an open one.',
      optional: true,
    }),
  ),
  ENCRYPTION_KEYS: { ...settings.ENCRYPTION_KEYS, optional: true } as Setting<string | undefined>,
} as const

function closedWithDefaults(setting: Setting<string | undefined>): Setting<string | undefined> {
  return {
    ...setting,
    check(host, others) {
      if (host === undefined || isLoopback(host)) return undefined
      const names = publishedValues(others)
      if (names.length === 0) return undefined
      return `is open to others while ${names.join(', ')} ${names.length === 1 ? 'has the value' : 'have the values'} of docker-compose.yml: set your own, or leave LISTEN_HOST at 127.0.0.1`
    },
  }
}

function publishedValues(config: Readonly<Record<string, unknown>>): readonly string[] {
  const url = config['DATABASE_ADMIN_URL'] ?? config['DATABASE_URL']
  const password = typeof url === 'string' && URL.canParse(url) ? new URL(url).password : undefined
  const values = { ...config, POSTGRES_PASSWORD: password }
  return Object.entries(COMPOSE_DEFAULTS)
    .filter(([name, published]) => (values as Record<string, unknown>)[name] === published)
    .map(([name]) => name)
}

function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  if (bare === 'localhost' || bare === '::1') return true
  return isIP(bare) === 4 && bare.startsWith('127.')
}
