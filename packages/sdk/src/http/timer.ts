/** The longest wait of `setTimeout`, milliseconds: it turns a longer one into 1 ms. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** A timer of `startTimer`; end it with `clearTimeout`. */
export type Timer = ReturnType<typeof setTimeout>

/** `setTimeout` for every wait of the SDK: one above 2^31 - 1 ms (24.8 days) ends there. */
export function startTimer(act: () => void, ms: number): Timer {
  return setTimeout(act, ms > 0 ? Math.min(TIMER_MS_MAX, ms) : 0)
}
