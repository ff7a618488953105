import { createLogger, EXIT, exitCodeOf, readConfig, runCommand, settings } from '@ariftly/runtime'
import { migrate, migrateConfig } from './service.ts'

// A one-shot: 0 when all is in place, 78 when a setting of ours or of a topic is wrong (every fault is printed), otherwise 1.
await runCommand(async () => {
  const config = readConfig({ ...migrateConfig, LOG_LEVEL: settings.LOG_LEVEL }, process.env)
  const log = createLogger({ service: 'migrate', level: config.LOG_LEVEL })
  const abort = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
  try {
    await migrate(config, { log, signal: abort.signal })
    log.info('migrated')
    return EXIT.ok
  } catch (error) {
    log.fatal({ err: error }, 'migrate failed')
    return exitCodeOf(error)
  }
})
