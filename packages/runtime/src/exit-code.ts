import { hasFaultCode } from '@ariftly/fault'

/** Exit codes, after sysexits.h: 0 ended as asked, 1 failed, 64 called in a wrong way, 78 what the process was given cannot be used. */
export const EXIT = { ok: 0, failed: 1, usage: 64, config: 78 } as const

/** Faults that only an operator can correct: a wrong setting, or a server that does not fit. */
const CONFIG_FAULTS = [
  'bad_config',
  'topic_settings',
  'partition_count_changed',
  'postgres_too_old',
  'schema_of_a_draft',
  'postgres_sessions_shared',
  'published_key',
] as const

/** The exit code of a process that could not start because of an error. */
export function exitCodeOf(error: unknown): number {
  return hasFaultCode(error, ...CONFIG_FAULTS) ? EXIT.config : EXIT.failed
}
