import type { Logger } from './types.ts'

/** A logger that never throws. */
export interface Log extends Logger {
  /** Runs a function of the caller; what it throws is a warning, and stops nothing. */
  guard(act: () => void): void
}

/** Writes to the caller's logger, by default `console.warn`. What that one throws goes to `console.warn`. */
export function createLog(logger: Logger | undefined): Log {
  function write(level: 'warn' | 'debug', text: string): void {
    const message = `Ariftly: ${text}`
    try {
      if (logger !== undefined) logger[level](message)
      else if (level === 'warn') console.warn(message)
    } catch (error) {
      console.warn(message, error)
    }
  }
  const warn = (text: string) => write('warn', text)
  return {
    warn,
    debug: (text) => write('debug', text),
    guard(act) {
      try {
        act()
      } catch (error) {
        warn(
          `A function of the caller failed. ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        )
      }
    },
  }
}
