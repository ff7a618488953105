import { LIMITS } from '../limits.ts'

/** Whether readers take a record with an id of this time that was appended then; both in epoch milliseconds. Otherwise it is the dead letter `id_out_of_window`. */
export function isIdInWindow(idMs: number, appendedMs: number): boolean {
  return idMs >= appendedMs - LIMITS.recordPastMsMax && idMs <= appendedMs + LIMITS.recordFutureMsMax
}
