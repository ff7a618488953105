import { RequestQueue, type InternalRequestQueue } from './internals.ts'

const PENDING_CHECK_MS = 10
/** How often a pending request is checked within its timeout. */
const CHECKS_PER_TIMEOUT = 10

/**
 * Fixes two timers of kafkajs's request queue that wake an idle process.
 *
 * - After the first response each connection re-arms a timer of about 1 ms without end, as `throttledUntil` is -1 when nothing
 *   throttles (kafkajs #1704, #1751). It costs about 3 % of a core idle, and a TimeoutNegativeWarning on Node 24. With this
 *   patch a timer runs only while requests are pending.
 * - Each connection checks every 100 ms whether a request of 10 s has timed out. With this patch that is every second, and by
 *   a monotonic clock: a wall clock that was set back would keep requests from timing out.
 */
export function patchRequestQueue(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = scheduleCheckPendingRequests
  RequestQueue.prototype.scheduleRequestTimeoutCheck = scheduleRequestTimeoutCheck
}

function scheduleRequestTimeoutCheck(this: InternalRequestQueue): void {
  if (!this.enforceRequestTimeout) return
  this.destroy()
  const seenMs = new WeakMap<object, number>()
  this.requestTimeoutIntervalId = setInterval(() => {
    const nowMs = performance.now()
    for (const request of this.inflight.values()) {
      const sinceMs = seenMs.get(request)
      if (sinceMs === undefined) seenMs.set(request, nowMs)
      else if (nowMs - sinceMs > request.requestTimeout) request.timeoutRequest()
    }
    if (!this.isConnected()) this.destroy()
  }, this.requestTimeout / CHECKS_PER_TIMEOUT)
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
