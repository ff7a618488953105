import type { TenantTurns } from '@ariftly/fairness'
import { renderEvent } from '@ariftly/events'
import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { getEvent, type LoggedEvent } from '@ariftly/store/events'
import { clientGone } from '../client-gone.ts'
import { notFound, pathId } from '../not-found.ts'
import type { TenantGate } from '../tenant-gate.ts'
import { includeOf, includeParam, renderIncluded, type Include } from './included.ts'

/** An event never changes, so clients that may see it may cache it for as long as they like. */
const IMMUTABLE = 'private, max-age=31536000, immutable'

/**
 * Handles `GET /v1/events/{id}`. Alone, an event has an immutable `ETag` (304 for `If-None-Match`); with `include` it shows what still
 * changes and is not cached. Another tenant's event is 404.
 */
export function createGetEvent(o: { pool: Pool; gate: TenantGate; turns: Pick<TenantTurns, 'run'> }): ApiHandler {
  return async (call, req, res) => {
    const { caller, params, url } = call
    const { tenant } = caller
    const include = includeOf(caller, readQuery(url, { include: includeParam }))
    const id = pathId('evt', params['id'])
    const { event, included } = await o.gate(call, () => readEvent(tenant, id, include), clientGone(res))
    res.vary('Authorization')
    if (included !== undefined) {
      sendJson(res, 200, included, { 'Cache-Control': 'private, no-cache' })
      return
    }
    // The 1 is the version of this rendering of the event.
    const etag = `"${id}-1"`
    res.setHeader('ETag', etag)
    res.setHeader('Cache-Control', IMMUTABLE)
    if (matchesTag(req.headers['if-none-match'], etag)) res.status(304).end()
    else sendJson(res, 200, renderEvent(event))
  }

  async function readEvent(tenant: string, id: string, include: Include | undefined): Promise<ReadEvent> {
    const event = await getEvent(o.pool, { tenant, id })
    if (event === undefined) throw notFound('event')
    if (include === undefined) return { event, included: undefined }
    const [included] = await renderIncluded(o.pool, { tenant, events: [event], include, turns: o.turns })
    return { event, included }
  }
}

interface ReadEvent {
  readonly event: LoggedEvent
  /** The rendered event with its included members. */
  readonly included: Buffer | undefined
}

/** RFC 9110, 13.1.2: `*`, or a list of tags compared without their `W/`. */
function matchesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')))
}
