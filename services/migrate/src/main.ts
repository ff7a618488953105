import { createLogger, EXIT, exitCodeOf, readConfig, refuseCall, runCommand, settings } from '@ariftly/runtime'
import { checkBackends } from './check/check-backends.ts'
import { checkConfig, migrate, migrateConfig } from './service.ts'

const USAGE = `Usage: npm run migrate [-- --check]

  --check  checks Kafka, Postgres and Redis and changes nothing
`

// A one-shot: 0 when all is in place, 78 when a setting of ours or of a topic is wrong (every fault is printed), otherwise 1.
await runCommand(async () => {
  const args = process.argv.slice(2)
  if (args.length === 0) return await migrateAll()
  return args.length === 1 && args[0] === '--check' ? await checkAll() : refuseCall(USAGE)
})

async function migrateAll(): Promise<number> {
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
}

/** Prints what is found: 0 without errors (warnings are printed), 1 with some. */
async function checkAll(): Promise<number> {
  const config = readConfig(checkConfig, process.env)
  const findings = await checkBackends(config, createLogger({ service: 'migrate', level: 'fatal' }))
  for (const { severity, backend, message, remedy } of findings) {
    process.stdout.write(`${severity}  ${backend}  ${message}\n         ${remedy}\n`)
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length
  process.stdout.write(errors === 0 ? 'The backends fit.\n' : `${errors} error(s).\n`)
  return errors === 0 ? EXIT.ok : EXIT.failed
}
