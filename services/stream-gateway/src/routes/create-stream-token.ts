import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Authenticator } from '@ariftly/auth'
import { shownFilter, type EventFilter } from '@ariftly/events'
import { readJsonBody, readQuery, requestContext, sendJson, type Sealer } from '@ariftly/http'
import { sealStreamToken } from './stream-token.ts'

const BODY_BYTES_MAX = 16 * 1024

/** Answers `POST /v1/stream-tokens`. Schemas and their compiler are loaded with the first request: a start does without them. */
export function createStreamTokenHandler(o: {
  readonly auth: Pick<Authenticator, 'authenticate'>
  readonly sealer: Sealer
  readonly now: () => number
}): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  return async function createStreamToken(req, res) {
    const caller = await o.auth.authenticate(req.headers.authorization, 'events:read')
    requestContext(req, res).tenant = caller.tenant
    readQuery(req.url ?? '', {})
    const body = await readJsonBody(req, BODY_BYTES_MAX)
    const { readTokenRequest } = await import('./read-token-request.ts')
    const { filter, ttlS } = readTokenRequest(body)
    const expiresAtMs = o.now() + ttlS * 1000
    const token = sealStreamToken(o.sealer, { keyId: caller.keyId, secret: caller.secret, filter, expiresAtMs })
    sendJson(res, 201, renderStreamToken(token, filter, expiresAtMs), { 'Cache-Control': 'no-store' })
  }
}

/** A stream token as the API shows it. */
export function renderStreamToken(token: string, filter: EventFilter, expiresAtMs: number): Record<string, unknown> {
  return {
    object: 'stream_token',
    token,
    expires_at: new Date(expiresAtMs).toISOString(),
    ...shownFilter(filter),
    types: filter.types ?? null,
  }
}
