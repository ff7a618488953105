import { ConfigFault, createLogger, readConfig } from '@ariftly/runtime'
import { preflightConfig } from './config.ts'
import { preflight } from './preflight.ts'

const EX_CONFIG = 78 // sysexits.h

// A one-shot: 0 without errors (warnings are printed), 1 with some, 78 when a setting is wrong.
try {
  const config = readConfig(preflightConfig, process.env)
  const findings = await preflight(config, createLogger({ service: 'preflight', level: 'fatal' }))
  for (const { severity, backend, message, remedy } of findings) {
    process.stdout.write(`${severity}  ${backend}  ${message}\n         ${remedy}\n`)
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length
  process.stdout.write(errors === 0 ? 'The backends fit.\n' : `${errors} error(s).\n`)
  process.exitCode = errors === 0 ? 0 : 1
} catch (error) {
  if (!(error instanceof ConfigFault)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = EX_CONFIG
}
