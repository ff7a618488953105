/** What a problem's code means: why it was answered, and what to do. */
export interface ProblemKind {
  readonly status: number
  readonly title: string
  /** One sentence. */
  readonly cause: string
  /** One sentence. */
  readonly fix: string
}

const kind = (status: number, title: string, cause: string, fix: string): ProblemKind => ({ status, title, cause, fix })

const AGAIN = 'Send the same request again after `Retry-After` seconds.'
const SLOWER = 'Wait `Retry-After` seconds, then send more slowly or ask for a larger limit.'
const POINTERS = 'Correct what each pointer in `errors` names.'

/** Every code that a problem of the API can have. */
// prettier-ignore
export const PROBLEMS: Readonly<Record<string, ProblemKind>> = {
  authentication_unavailable: kind(503, 'Keys cannot be checked', 'API keys cannot be read at the moment.', AGAIN),
  body_too_large: kind(413, 'Body too large', 'The body is larger than the route takes, counted after decompression.', 'Send less in one request: events in several batches.'),
  clock_skew: kind(503, 'Clocks do not agree', 'The clock of the server or of the event log is wrong by minutes, so that the ids of the events were out of the range that readers take.', 'Post the entries with status `retry` again after `Retry-After` seconds, with the ids of the answer.'),
  draining: kind(503, 'Shutting down', 'The server that got the request is being stopped.', 'Connect again: another server answers.'),
  empty_batch: kind(422, 'No events', 'The body is an empty array or has no lines.', 'Send at least one event.'),
  filter_too_wide: kind(400, 'Filter too wide', 'The filter would read too many deliveries.', 'Add one of the parameters that the detail names.'),
  gateway_full: kind(503, 'Too many streams here', 'The server that got the request holds as many streams as it can.', AGAIN),
  headers_too_large: kind(431, 'Headers too large', 'The request line and the headers together are longer than 16 KiB.', 'Send a shorter URL and fewer headers; parameters of a stream can be sent in a form.'),
  idempotency_key_in_use: kind(409, 'Request under way', 'A request with this `Idempotency-Key` has not been answered yet.', AGAIN),
  idempotency_key_reused: kind(422, 'Idempotency-Key reused', 'This `Idempotency-Key` was sent with another request before.', 'Use a new key for each new request.'),
  idempotent_answer_lost: kind(409, 'Answer lost', 'The first request with this `Idempotency-Key` took effect, but its answer can no longer be read.', 'Find the created resource in the list of the route; use a new key for another one.'),
  internal_error: kind(500, 'Our fault', 'Something went wrong on our side.', 'Try again; if it persists, report the `request_id`.'),
  invalid_api_key: kind(401, 'Invalid API key', 'The API key is unknown, revoked or expired.', 'Check the key with `GET /v1/api-keys/current`, or create a new one.'),
  invalid_body: kind(422, 'Invalid body', 'Members of the body are unknown or have bad values.', POINTERS),
  invalid_cursor: kind(400, 'Invalid cursor', 'The cursor is not one of this list with these parameters.', 'Pass `next_cursor` of the previous page and leave the other parameters unchanged.'),
  invalid_encoding: kind(400, 'Bad compression', 'The body is not in the `Content-Encoding` that the request names.', 'Compress the body as the header says, or leave the header out.'),
  invalid_events: kind(422, 'Invalid events', 'None of the events in the body is valid.', POINTERS),
  invalid_parameter: kind(400, 'Invalid parameter', 'A parameter is unknown, empty, repeated or has a bad value.', 'Correct the parameters that `errors` names.'),
  invalid_stream_token: kind(401, 'Invalid stream token', 'The token is forged or expired, or its key was revoked.', 'Create a new one with `POST /v1/stream-tokens`.'),
  invalid_type: kind(422, 'Wrong type', 'The body is JSON of another type than the route takes.', 'Send an object, or an array of objects where the route takes one.'),
  invalid_utf8: kind(400, 'Not UTF-8', 'The body is not UTF-8.', 'Encode the body in UTF-8.'),
  log_identity_changed: kind(503, 'The log is another one', 'The event log is not the one that the service works with, so it is neither read nor written.', 'Send the same request again after `Retry-After` seconds; entries of a post with the status `retry` with the ids of the answer.'),
  log_unavailable: kind(503, 'The log takes no events now', 'The event log cannot be written at the moment.', 'Post the entries with status `retry` again after `Retry-After` seconds, with the ids of the answer.'),
  malformed_json: kind(400, 'Malformed JSON', 'The body is not JSON (RFC 8259).', 'Correct the text at the offset that the detail names.'),
  malformed_request: kind(400, 'Malformed request', 'The request is not HTTP/1.1 (RFC 9112).', 'Use an HTTP library.'),
  method_not_allowed: kind(405, 'Method not allowed', 'The path has other methods.', 'Use one of the methods in `Allow`.'),
  missing_api_key: kind(401, 'No API key', 'The request has no API key.', 'Send `Authorization: Bearer <API key>`.'),
  missing_body: kind(422, 'No body', 'The route needs a body.', 'Send JSON, with `Content-Type: application/json`.'),
  missing_scope: kind(403, 'Missing scope', 'The API key does not have the scope that the route needs.', 'Use a key with the scope that the detail names.'),
  not_found: kind(404, 'Not found', 'There is no such resource, or it belongs to another tenant.', 'Check the path and the id.'),
  not_yours_to_give: kind(403, 'More than the key has', 'A key cannot give scopes, quotas or an end beyond its own.', 'Use a key that has at least what it gives.'),
  overloaded: kind(503, 'Overloaded', 'The server has no memory left for the body.', AGAIN),
  quota_exceeded: kind(429, 'Quota exceeded', 'The quota of the API key or of its tenant has too little left for the request.', SLOWER),
  replay_under_way: kind(409, 'Replay under way', 'A webhook has one running replay at a time.', 'Wait until it ends, or cancel it.'),
  redelivery_under_way: kind(409, 'Redelivery under way', 'A tenant has one running redelivery at a time, and ten dry runs.', 'Wait until it ends, or cancel it.'),
  request_aborted: kind(400, 'Request aborted', 'The connection was closed before the whole body had arrived.', 'Send the request again.'),
  request_timeout: kind(408, 'Body too slow', 'The body did not arrive in time.', 'Send the request again, in smaller batches on a slow network.'),
  rotation_under_way: kind(409, 'Rotation under way', 'The previous rotation still overlaps.', 'Wait until its overlap ends.'),
  own_tenant: kind(409, 'Own tenant', 'A key cannot delete its own tenant, and `default` cannot be deleted.', 'Use a key of another tenant.'),
  starting: kind(503, 'Starting', 'The server that got the request has just been started.', AGAIN),
  taken: kind(409, 'Name in use', 'The name is in use.', 'Use another name.'),
  tenant_deleted: kind(409, 'Tenant deleted', 'The tenant was deleted. Its id is never given again.', 'Use another id.'),
  tenant_deleting: kind(409, 'Tenant being deleted', 'The tenant is being deleted. Its id is never given again.', 'Use another id.'),
  tenant_suspended: kind(403, 'Tenant suspended', 'The tenant is suspended or being deleted.', 'Ask the operator of the platform.'),
  too_many_events: kind(413, 'Too many events', 'A request holds at most 1,000 events.', 'Send several requests.'),
  too_many_parameters: kind(400, 'Too many parameters', 'The query has too many parameters.', 'Leave out the ones that the route does not have.'),
  too_many_queries: kind(429, 'Too many queries', 'Too many queries of the tenant wait already.', SLOWER),
  too_many_streams: kind(429, 'Too many streams', 'The key or the tenant has as many open streams as it may.', 'Close streams, or ask for a larger limit.'),
  too_many_api_keys: kind(409, 'Too many API keys', 'The tenant has as many API keys as it may.', 'Revoke one, or ask for a larger limit.'),
  too_many_webhooks: kind(409, 'Too many webhooks', 'The tenant has as many webhooks as it may.', 'Delete one, or ask for a larger limit.'),
  too_many_writes: kind(429, 'Too many administrative calls', 'Calls that change webhooks, keys or tenants are limited per tenant.', SLOWER),
  unavailable: kind(503, 'Unavailable', 'A backend does not answer at the moment.', AGAIN),
  unsupported_encoding: kind(415, 'Unsupported compression', 'The `Content-Encoding` is not one that the route takes.', 'Use gzip, deflate, br or none.'),
  unsupported_media_type: kind(415, 'Unsupported content type', 'The `Content-Type` is not one that the route takes.', 'Use a content type of the reference.'),
  webhook_deleted: kind(409, 'Webhook deleted', 'The webhook of the delivery was deleted.', 'Create a webhook, then replay.'),
}
