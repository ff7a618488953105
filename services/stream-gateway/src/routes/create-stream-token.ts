import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticator } from '@ariftly/auth'
import { Problem, readJsonBody, readQuery, sendJson } from '@ariftly/http'
import type { Sealer } from '../frames/stream-id.ts'
import { readTokenRequest, sealStreamToken } from './stream-token.ts'

const BODY_BYTES_MAX = 16 * 1024

/** Answers `POST /v1/stream-tokens`. */
export function createStreamTokenHandler(o: {
  readonly auth: Pick<Authenticator, 'authenticate'>
  readonly sealer: Sealer
  readonly now: () => number
}): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  return async function createStreamToken(req, res) {
    const caller = await o.auth.authenticate(req.headers.authorization, 'events:read')
    readQuery(req.url ?? '', {})
    const request = readTokenRequest((await readJsonBody(req, BODY_BYTES_MAX)) ?? {})
    if (!request.ok) {
      throw new Problem(422, 'invalid_request', { detail: 'Some members are wrong.', errors: request.errors })
    }
    const { filter, ttlS } = request
    const expiresAtMs = o.now() + ttlS * 1000
    const token = sealStreamToken(o.sealer, { keyId: caller.keyId, secret: caller.secret, filter, expiresAtMs })
    sendJson(
      res,
      201,
      {
        object: 'stream_token',
        token,
        expires_at: new Date(expiresAtMs).toISOString(),
        task_id: filter.taskId ?? null,
        session_id: filter.sessionId ?? null,
        agent: filter.agent ?? null,
        types: filter.types ?? null,
      },
      { 'Cache-Control': 'no-store' },
    )
  }
}
