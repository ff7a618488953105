import type { ServedService } from '@ariftly/http'
import { runMain } from '@ariftly/runtime'
import { wholeConfig, type StandaloneConfig } from './config.ts'
import type { StandaloneDeps } from './service.ts'

/** Starts the system with checked settings. */
export type StartStandalone = (config: StandaloneConfig, deps: StandaloneDeps) => Promise<ServedService>

// Made when it is not given. Filled in only so that all other settings can be checked before anything starts.
const PROVISIONAL = { ENCRYPTION_KEYS: `k1:${Buffer.alloc(32).toString('base64')}` }

/**
 * Runs the whole system as this process, and prints its steps, the banner and the reason of a failed start in plain text.
 * @param provisional values for settings that `start` fills in if they are absent; they only pass the check of all settings.
 */
export async function runStandalone(
  start: StartStandalone,
  provisional: Readonly<Record<string, string>> = {},
): Promise<void> {
  let failure: unknown
  await runMain({
    name: 'standalone',
    config: wholeConfig,
    env: withProvisional({ ...PROVISIONAL, ...provisional }, process.env),
    async start(config, deps) {
      try {
        return await start(config, {
          ...deps,
          env: process.env,
          startedMs: performance.now(),
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
}

function withProvisional(values: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const missing = Object.entries(values).filter(([name]) => !env[name] && !env[`${name}_FILE`])
  return { ...env, ...Object.fromEntries(missing) }
}
