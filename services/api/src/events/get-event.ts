import { parseTypeId, renderEvent } from '@ariftly/events'
import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { getEvent } from '@ariftly/store/events'
import { clientGone } from '../client-gone.ts'
import { notFound } from '../not-found.ts'
import type { TenantGate } from '../tenant-gate.ts'
import { includeOf, includeParam, renderIncluded } from './included.ts'

/** An event never changes, so clients that may see it may cache it for as long as they like. */
const IMMUTABLE = 'private, max-age=31536000, immutable'

/**
 * Handles `GET /v1/events/{id}`. Alone, an event has an immutable `ETag` (304 for `If-None-Match`); with `include` it shows what still
 * changes and is not cached. Another tenant's event is 404. `rest` reads deliveries.
 */
export function createGetEvent(o: { pool: Pool; rest: Pool; gate: TenantGate }): ApiHandler {
  return async ({ caller, params, url }, req, res) => {
    const { tenant } = caller
    const include = includeOf(caller, readQuery(url, { include: includeParam }))
    const id = params['id'] ?? ''
    if (parseTypeId('evt', id) === undefined) throw notFound('event')
    const event = await o.gate(tenant, () => getEvent(o.pool, { tenant, id }), clientGone(res))
    if (event === undefined) throw notFound('event')
    res.setHeader('Vary', 'Authorization')
    if (include !== undefined) {
      const [body = Buffer.alloc(0)] = await renderIncluded(o.rest, { tenant, events: [event], include })
      sendJson(res, 200, body, { 'Cache-Control': 'private, no-cache' })
      return
    }
    // The 1 is the version of this rendering of the event.
    const etag = `"${id}-1"`
    res.setHeader('ETag', etag)
    res.setHeader('Cache-Control', IMMUTABLE)
    if (matchesTag(req.headers['if-none-match'], etag)) res.status(304).end()
    else sendJson(res, 200, renderEvent(event))
  }
}

/** RFC 9110, 13.1.2: `*`, or a list of tags compared without their `W/`. */
function matchesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')))
}
