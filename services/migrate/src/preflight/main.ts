import { createLogger, readConfig, runCommand } from '@ariftly/runtime'
import { preflightConfig } from './config.ts'
import { preflight } from './preflight.ts'

// A one-shot: 0 without errors (warnings are printed), 1 with some, 78 when a setting is wrong.
await runCommand(async () => {
  const config = readConfig(preflightConfig, process.env)
  const findings = await preflight(config, createLogger({ service: 'preflight', level: 'fatal' }))
  for (const { severity, backend, message, remedy } of findings) {
    process.stdout.write(`${severity}  ${backend}  ${message}\n         ${remedy}\n`)
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length
  process.stdout.write(errors === 0 ? 'The backends fit.\n' : `${errors} error(s).\n`)
  return errors === 0 ? 0 : 1
})
