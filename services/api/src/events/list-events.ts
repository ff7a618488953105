import type { TenantTurns } from '@ariftly/fairness'
import { filterOf, renderEvent } from '@ariftly/events'
import {
  choiceParam,
  cursorParam,
  filterParams,
  instantParam,
  limitParam,
  readQuery,
  type ApiHandler,
  type CursorCodec,
} from '@ariftly/http'
import { type Pool } from '@ariftly/store'
import { listEvents, listLoggedEvents, type ListEventsOptions } from '@ariftly/store/events'
import { clientGone } from '../client-gone.ts'
import { sendList } from '../send-list.ts'
import type { TenantGate } from '../tenant-gate.ts'
import { readTypes, typeParams } from '../type-params.ts'
import { includeOf, includeParam, renderIncluded, type Include } from './included.ts'

/** Parameters of `GET /v1/events` (the specification's, and `types`, `session_id`, `order`, `cursor`, `include`). */
const listEventsQuery = {
  ...filterParams,
  ...typeParams,
  after: instantParam(),
  before: instantParam(),
  order: choiceParam(['desc', 'asc'], 'desc'),
  limit: limitParam(),
  cursor: cursorParam(),
  include: includeParam,
}

/**
 * Handles `GET /v1/events`: a page of stored events, whose `data` is sent in the bytes in which it was posted. A cursor is not bound to
 * `include`.
 */
export function createListEvents(o: {
  pool: Pool
  gate: TenantGate
  turns: Pick<TenantTurns, 'run'>
  cursors: CursorCodec
}): ApiHandler {
  return async (call, _req, res) => {
    const { caller, url } = call
    const query = readQuery(url, listEventsQuery)
    const include = includeOf(caller, query)
    const { tenant } = caller
    const types = readTypes(query)
    const filter = filterOf({ ...query, types })
    const bound = {
      tenant,
      ...filter,
      // The order in which types are listed means nothing.
      types: types?.toSorted(),
      after: query.after?.floorMs,
      before: query.before?.ceilMs,
      order: query.order,
    }
    const cursorId = query.cursor === undefined ? undefined : o.cursors.decode('events', bound, query.cursor)
    const list = {
      tenant,
      filter,
      order: query.order,
      limit: query.limit,
      ...(query.after === undefined ? {} : { afterMs: query.after.floorMs }),
      ...(query.before === undefined ? {} : { beforeMs: query.before.ceilMs }),
      ...(cursorId === undefined ? {} : { cursorId }),
    }
    const { lastId, hasMore, entries } = await o.gate(call, () => readPage(list, include), clientGone(res))
    const next = hasMore && lastId !== undefined ? o.cursors.encode('events', bound, lastId) : null
    sendList(res, entries, next)
  }

  async function readPage(list: ListEventsOptions, include: Include | undefined): Promise<RenderedPage> {
    if (include === undefined) {
      const { events, hasMore } = await listEvents(o.pool, list)
      return { lastId: events.at(-1)?.id, hasMore, entries: events.map(renderEvent) }
    }
    const { events, hasMore } = await listLoggedEvents(o.pool, list)
    const entries = await renderIncluded(o.pool, { tenant: list.tenant, events, include, turns: o.turns })
    return { lastId: events.at(-1)?.id, hasMore, entries }
  }
}

interface RenderedPage {
  readonly lastId: string | undefined
  readonly hasMore: boolean
  readonly entries: readonly Buffer[]
}
