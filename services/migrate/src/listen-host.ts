import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { Fault, settings, str, type Setting } from '@ariftly/runtime'
import type { Pool } from '@ariftly/store'
import { createApiKeyStore } from '@ariftly/store/api-keys'

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

/**
 * Refuses to open an installation to others while the database still takes the published key: it stays there when the installation was
 * first started with the default keys.
 * @throws Fault `published_key`.
 */
export async function refusePublishedKey(pool: Pool, host: string | undefined): Promise<void> {
  if (host === undefined || isLoopback(host)) return
  const hash = createHash('sha256').update(COMPOSE_DEFAULTS.ARIFTLY_BOOTSTRAP_KEY).digest()
  const [key] = await createApiKeyStore(pool).lookup([hash])
  if (key === undefined || key.revokedAtMs !== null) return
  const endsAtMs = Math.min(key.expiresAtMs ?? Infinity, key.secretEndsAtMs ?? Infinity)
  if (endsAtMs <= Date.now()) return
  throw new Fault({
    code: 'published_key',
    message: `LISTEN_HOST is open to others while the key of docker-compose.yml is valid: with LISTEN_HOST=127.0.0.1 revoke it by DELETE /v1/api-keys/${key.id}, with your own key.`,
  })
}

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
