/** Something about a backend that the services do not work with, or work badly with. */
export interface Finding {
  readonly backend: 'kafka' | 'postgres' | 'redis'
  /** `error`: the services do not work. `warning`: they work, with a limit that the remedy names. */
  readonly severity: 'error' | 'warning'
  /** What was found, one sentence without passwords. */
  readonly message: string
  /** What to do, one sentence. */
  readonly remedy: string
}

/** A finding about a backend that does not answer. */
export function unreachable(backend: Finding['backend'], reason: string, settings: string): Finding {
  return {
    backend,
    severity: 'error',
    message: `No answer: ${reason}.`,
    remedy: `Check ${settings}, and that network policies and firewalls let this pod reach it.`,
  }
}
