/**
 * What a stack of a test takes from the environment: where programs and their cache are. Never an address of a backend that the shell
 * happens to name. The Redis is the fetched one, as on a machine without redis-server; `REDIS_SERVER=path` takes that of the PATH.
 */
export function stackEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME, REDIS_SERVER = 'fetched' } = process.env
  return { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME, REDIS_SERVER }
}
