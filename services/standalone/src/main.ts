import { runMain } from '@ariftly/runtime'
import { wholeConfig } from './config.ts'
import { start } from './service.ts'

// Settings that are made here when they are not given. They are filled in only so that all others can be checked before anything starts.
const PROVISIONAL = {
  KAFKA_BROKERS: '127.0.0.1:9092',
  DATABASE_URL: 'postgres://127.0.0.1/ariftly',
  REDIS_URL: 'redis://127.0.0.1',
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}`,
} as const

let failure: unknown
await runMain({
  name: 'standalone',
  config: wholeConfig,
  env: withProvisional(process.env),
  async start(config, deps) {
    try {
      return await start(config, {
        ...deps,
        env: process.env,
        progress: (line) => process.stderr.write(`${line} …\n`),
        announce: (text) => process.stdout.write(text),
      })
    } catch (error) {
      failure = error
      throw error
    }
  },
})
if (failure instanceof Error) process.stderr.write(`\n${failure.message}\n`)

function withProvisional(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const missing = Object.entries(PROVISIONAL).filter(([name]) => !env[name] && !env[`${name}_FILE`])
  return { ...env, ...Object.fromEntries(missing) }
}
