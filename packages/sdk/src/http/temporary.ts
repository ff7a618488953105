import { ApiError, ConnectionError, TimeoutError } from '../errors.ts'
import { isRetryableStatus } from './back-off.ts'

/**
 * Whether the same request may succeed later: there was no answer, or it was 408, 425, 429, 5xx, or the 404 or 405 of a gateway. Sending and streams
 * wait after such errors; a call that asks for one thing takes a gateway's 404 for an answer.
 */
export function isTemporary(error: unknown): boolean {
  if (error instanceof ApiError) return isRetryableStatus(error.status) || isOfGateway(error)
  return error instanceof ConnectionError || error instanceof TimeoutError
}

/** Whether the address may be at fault: worth a warning at once while no request to it has succeeded. */
export function mayBeOfAddress(error: unknown): boolean {
  return error instanceof ConnectionError ? error.isOfAddress : error instanceof ApiError && isOfGateway(error)
}

/** Whether a gateway answered for the API, as while something is deployed: the API's own errors are problems. */
function isOfGateway({ status, problem }: ApiError): boolean {
  return (status === 404 || status === 405) && problem === undefined
}
