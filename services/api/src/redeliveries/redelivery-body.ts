import { createBodyReader, invalidBody, redeliveryRequestSchema, type BodyError } from '@ariftly/contract'
import { formatTimestamp } from '@ariftly/events'
import { parseInstant } from '@ariftly/http'
import type { StoredFilter } from '@ariftly/store/redeliveries'
import { deliveryFilterParams } from '../deliveries/delivery-filter.ts'
import { BOTH_TYPES } from '../type-params.ts'

/** The body of `POST /v1/deliveries/redeliver`. */
export interface RedeliveryBody {
  readonly filter: StoredFilter
  readonly dryRun: boolean
}

const DAY_MS = 86_400_000
/** How far back a redelivery reaches that names no webhook; deliveries are kept as long. */
const DAYS_MAX = 35

const readRequest = createBodyReader(redeliveryRequestSchema)

/** Reads the body of a redelivery; null means absent, `types` is kept as `type`. @throws Problem 422 that names the faults. */
export function readRedelivery(body: unknown, nowMs: number): RedeliveryBody {
  const { filter, dry_run: dryRun = false } = readRequest(body)
  const errors = Object.entries(deliveryFilterParams).flatMap(([name, param]): BodyError[] => {
    const value = filter[name as keyof typeof deliveryFilterParams]
    const read = value === undefined ? undefined : param.parse(value)
    return read?.ok === false ? [{ pointer: `/filter/${name}`, code: 'invalid_value', message: read.message }] : []
  })
  const { types, ...named } = filter
  if (types !== undefined && named.type !== undefined) {
    errors.push({ pointer: '/filter/types', code: 'invalid_value', message: BOTH_TYPES })
  }
  if (errors.length > 0) throw invalidBody(errors)
  const ofTypes = types === undefined ? {} : { type: types }
  const stored = { status: 'failed' as const, ...named, ...ofTypes, ...timesOf(filter) }
  const fault = reachFault(stored, nowMs)
  if (fault !== undefined) throw invalidBody([fault])
  return { filter: stored, dryRun }
}

/** In whole milliseconds, as in deliveries. */
function timesOf(filter: Pick<StoredFilter, 'after' | 'before'>): Pick<StoredFilter, 'after' | 'before'> {
  const given = (['after', 'before'] as const).flatMap((name) => {
    const ms = parseInstant(filter[name] ?? '')?.ceilMs
    return ms === undefined ? [] : [[name, formatTimestamp(ms)]]
  })
  return Object.fromEntries(given) as Pick<StoredFilter, 'after' | 'before'>
}

function reachFault({ webhook_id: webhookId, after }: StoredFilter, nowMs: number): BodyError | undefined {
  if (webhookId !== undefined) return undefined
  const message = `needs a webhook_id or an after of at most ${DAYS_MAX} days ago`
  if (after === undefined) return { pointer: '/filter', code: 'required', message }
  if (Date.parse(after) >= nowMs - DAYS_MAX * DAY_MS) return undefined
  return { pointer: '/filter/after', code: 'out_of_range', message }
}
