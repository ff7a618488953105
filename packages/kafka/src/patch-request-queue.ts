import { RequestQueue, type InternalRequestQueue } from './internals.ts'

const PENDING_CHECK_MS = 10

/**
 * Mends the request queue of kafkajs: after the first response each connection re-arms a timer of about 1 ms for ever, as
 * `throttledUntil` is -1 when nothing throttles (kafkajs #1704, #1751). It costs about 3 % of a core idle, and a
 * TimeoutNegativeWarning on Node 24. With this patch a timer runs only while requests are pending.
 */
export function patchRequestQueue(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests
}

function scheduleCheckPendingRequests(this: InternalRequestQueue): void {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return
  const throttledMs = this.throttledUntil - Date.now()
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null
      this.checkPendingRequests()
    },
    throttledMs > 0 ? throttledMs : PENDING_CHECK_MS,
  )
}
