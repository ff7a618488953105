/**
 * What a test stack takes from the environment: where programs and their cache are, never an address of a backend. The Redis is
 * the fetched one, as on a machine without redis-server; `REDIS_SERVER=path` uses the PATH's.
 */
export function stackEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME, REDIS_SERVER = 'fetched' } = process.env
  return { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME, REDIS_SERVER }
}
