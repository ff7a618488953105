import type { Logger } from './types.ts'

/** A logger that never throws. */
export interface Log extends Logger {
  /** Runs a function of the caller; its errors are only warnings. */
  guard(act: () => void): void
}

/** Writes to the caller's logger, by default `console.warn`. The logger's errors are written to `console.warn`. */
export function createLog(logger: Logger = { warn: (text) => console.warn(text), debug: () => {} }): Log {
  function write(level: 'warn' | 'debug', text: string): void {
    try {
      logger[level](`Ariftly: ${text}`)
    } catch (error) {
      console.warn(text, error)
    }
  }
  function guard(act: () => void): void {
    try {
      act()
    } catch (error) {
      write('warn', `A function of the caller failed. ${String((error as Partial<Error> | undefined)?.stack ?? error)}`)
    }
  }
  return { warn: (text) => write('warn', text), debug: (text) => write('debug', text), guard }
}
