import type { LogLevel } from './options.ts'
import { readEnv } from './platform.ts'
import type { Logger } from './types.ts'

/** A logger that never throws. */
export interface Log extends Logger {
  /** Runs a function of the caller; its errors are only warnings. */
  guard(act: () => void): void
}

const LEVELS: readonly string[] = ['off', 'warn', 'debug'] satisfies readonly LogLevel[]

/**
 * Writes to the caller's logger, by default `console.warn`: what the console writes at other levels is standard output on Node. The logger's errors at a warning are
 * written to `console.warn`.
 */
export function createLog(logger: Logger | undefined, given: LogLevel | undefined): Log {
  const asked = given ?? readEnv('ARIFTLY_LOG')
  const isKnown = asked !== undefined && LEVELS.includes(asked)
  const level = LEVELS.indexOf(isKnown ? asked : logger === undefined ? 'warn' : 'debug')
  const out = logger ?? { warn: (text) => console.warn(text), debug: (text) => console.warn(text) }
  function write(name: 'warn' | 'debug', text: string): void {
    if (LEVELS.indexOf(name) > level) return
    try {
      out[name](`Ariftly: ${text}`)
    } catch (error) {
      if (name === 'warn') console.warn(text, error)
    }
  }
  const log: Log = {
    warn: (text) => write('warn', text),
    debug: (text) => write('debug', text),
    guard(act) {
      try {
        act()
      } catch (error) {
        write(
          'warn',
          `A function of the caller failed. ${String((error as Partial<Error> | undefined)?.stack ?? error)}`,
        )
      }
    },
  }
  if (asked !== undefined && !isKnown) log.warn(`No level of logging is called ${asked}: use off, warn or debug.`)
  return log
}
