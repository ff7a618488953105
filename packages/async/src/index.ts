export { backoffMs, retryForever, sleep, type BackoffOptions, type RetryOptions } from './backoff.ts'
export { bisect } from './bisect.ts'
export { deferred, type Deferred } from './deferred.ts'
export { DeadlineError, withTimeout } from './with-timeout.ts'
