import { ConfigFault, createLogger, EXIT, exitCodeOf, readConfig, settings } from '@ariftly/runtime'
import { migrate, migrateConfig } from './service.ts'

// A one-shot: 0 when all is in place, 78 when a setting of ours or of a topic is wrong (every fault is printed), otherwise 1.
try {
  const config = readConfig({ ...migrateConfig, LOG_LEVEL: settings.LOG_LEVEL }, process.env)
  const log = createLogger({ service: 'migrate', level: config.LOG_LEVEL })
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
  await migrate(config, { log, signal: abort.signal }).then(
    () => log.info('migrated'),
    (error: unknown) => {
      log.fatal({ err: error }, 'migrate failed')
      process.exitCode = exitCodeOf(error)
    },
  )
} catch (error) {
  if (!(error instanceof ConfigFault)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = EXIT.config
}
