import { parseTypeId, renderEvent } from '@ariftly/events'
import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { getEvent } from '@ariftly/store/events'
import { clientGone } from '../client-gone.ts'
import { notFound } from '../not-found.ts'
import type { TenantGate } from '../tenant-gate.ts'

/** An event never changes, so its answer may be kept for ever by who may see it. */
const FOREVER = 'private, max-age=31536000, immutable'

/** Answers `GET /v1/events/{id}`, with an `ETag` and, for `If-None-Match`, 304. Another tenant's event is 404. */
export function createGetEvent(o: { pool: Pool; gate: TenantGate }): ApiHandler {
  return async ({ caller: { tenant }, params, url }, req, res) => {
    readQuery(url, {})
    const id = params['id'] ?? ''
    if (parseTypeId('evt', id) === undefined) throw notFound('event')
    const event = await o.gate(tenant, () => getEvent(o.pool, { tenant, id }), clientGone(res))
    if (event === undefined) throw notFound('event')
    // The 1 stands for this rendering of the event.
    const etag = `"${id}-1"`
    res.setHeader('ETag', etag)
    res.setHeader('Cache-Control', FOREVER)
    res.setHeader('Vary', 'Authorization')
    if (matchesTag(req.headers['if-none-match'], etag)) res.status(304).end()
    else sendJson(res, 200, renderEvent(event))
  }
}

/** RFC 9110, 13.1.2: `*`, or a list of tags compared without their `W/`. */
function matchesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')))
}
