import {
  databaseConnection,
  type Backends,
  type ConfigOf,
  type databaseConfig,
  type Logger,
  type Releasers,
} from '@ariftly/runtime'
import { createPool, SERVICE_ROLE } from '@ariftly/store'
import { createApiKeyStore } from '@ariftly/store/api-keys'
import { Authenticator, type SharedAuthenticator } from './authenticator.ts'

/** Connections that look up keys; they are shared with nothing, so that a slow query delays no key. */
const CONNECTIONS_MAX = 4
const STATEMENT_TIMEOUT_MS = 2000

/** Dependencies of {@link startAuthenticator}. */
export interface StartAuthenticatorDeps extends SharedAuthenticator {
  /** The service, for `pg_stat_activity`. */
  readonly name: string
  readonly backends: Backends
  readonly log: Logger
  readonly releasers: Releasers
}

/** The authenticator that the process shares, or one with a pool of its own that `releasers` close. Watches Postgres. */
export function startAuthenticator(
  config: ConfigOf<typeof databaseConfig>,
  { name, backends, log, releasers, authenticator: shared }: StartAuthenticatorDeps,
): Authenticator {
  if (shared !== undefined) return shared
  const pool = createPool({
    ...databaseConnection(config),
    applicationName: `ariftly-${name} keys`,
    role: SERVICE_ROLE,
    max: CONNECTIONS_MAX,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    onAnswer: backends.postgres.answered,
    onError: (error) => log.warn({ err: error, pool: 'keys' }, 'a connection to Postgres was lost'),
  })
  releasers.add('pool of keys', () => pool.end())
  const probe = () => pool.query('SELECT 1')
  releasers.add('watch of Postgres', backends.postgres.watch(probe))
  const authenticator = new Authenticator({ ...createApiKeyStore(pool), log })
  releasers.add('authenticator', () => authenticator.close())
  return authenticator
}
