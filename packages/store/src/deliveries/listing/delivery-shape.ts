import { typeIdToUuid, type EventType } from '@ariftly/events'
import { STATUS_CONDITIONS, TASK_ID, type DeliveryStatus } from '../delivery-row.ts'

/** Which deliveries are meant; absent members filter nothing. */
export interface DeliveryFilter {
  /** `whk_…`. */
  readonly webhookId?: string
  /** `evt_…`. */
  readonly eventId?: string
  readonly taskId?: string
  readonly status?: DeliveryStatus
  readonly types?: readonly EventType[]
  /** The error class of the newest attempt. */
  readonly errorClass?: string
  /** Whole milliseconds of `created_at`, inclusive. */
  readonly afterMs?: number
  /** Whole milliseconds of `created_at`, exclusive. */
  readonly beforeMs?: number
}

/** Which deliveries a list has, and from where on. */
export interface DeliveryListOptions {
  readonly tenant: string
  readonly filter: DeliveryFilter
  /** By `created_at`, then id; `id`: by that alone, the unfinished ones of a webhook. */
  readonly order: 'asc' | 'desc' | 'id'
  /** The last delivery that the previous page scanned. */
  readonly cursorId?: string | undefined
}

/** A list of deliveries as SQL: what one index reads, and what is checked row by row. */
export interface DeliveryShape {
  readonly values: unknown[]
  /** The order of the page, of rows `d`. */
  readonly orderBy: string
  /** Rows in that order, by one index; `limit` is a number or a parameter. */
  readonly scan: (limit: number | string) => string
  /** Conditions that the index does not cover, on `d`. */
  readonly checked: readonly string[]
}

type Bind = (value: unknown) => string
type Conditions = Readonly<Record<string, ((bind: Bind) => string) | undefined>>

/**
 * The SQL of a list. Which index it ranges over:
 *
 * - an event: `deliveries_event`, all of its rows, which are as many as webhooks wanted it; they are sorted then;
 * - a task: `deliveries_task`; a webhook: `deliveries_webhook_created`, its failed ones `deliveries_webhook_failed`;
 * - failed ones of a tenant: `deliveries_tenant_failed`; else `deliveries_tenant_created`;
 * - by id: `deliveries_unfinished`, whose partitions follow one another.
 *
 * Each other partition's range is merged by `created_at` and id. Either is read only as far as the page goes.
 */
export function createDeliveryShape(o: DeliveryListOptions): DeliveryShape {
  const conditions = conditionsOf(o)
  const scanned = scannedBy(o).filter((name) => conditions[name] !== undefined)
  const checked = Object.keys(conditions).filter((name) => conditions[name] !== undefined && !scanned.includes(name))
  const values: unknown[] = []
  const bind = (value: unknown): string => `$${values.push(value)}`
  const written = (names: readonly string[]): string[] => names.map((name) => conditions[name]?.(bind) ?? 'true')
  const found = written(scanned).join(' AND ')
  const direction = o.order === 'desc' ? 'DESC' : 'ASC'
  const orderBy = o.order === 'id' ? 'd.id' : `d.created_at ${direction}, d.id ${direction}`
  return {
    checked: written(checked),
    values,
    orderBy,
    scan: (limit) => `SELECT d.* FROM deliveries d WHERE ${found} ORDER BY ${orderBy} LIMIT ${limit}`,
  }
}

/** The conditions that one index serves; of an event all rows are read. */
function scannedBy({ order, filter: { eventId, taskId, webhookId, status } }: DeliveryListOptions): readonly string[] {
  if (order === 'id') return ['tenant', 'webhook', 'status', 'cursor']
  const range = ['tenant', 'after', 'before', 'cursor']
  if (eventId !== undefined) return ['event', ...range]
  if (taskId !== undefined) return ['key', ...range]
  const failed = status === 'failed' ? ['status'] : []
  return webhookId === undefined ? [...range, ...failed] : ['webhook', ...range, ...failed]
}

function conditionsOf({ tenant, filter, order, cursorId }: DeliveryListOptions): Conditions {
  const { webhookId, eventId, taskId, status, types, errorClass, afterMs, beforeMs } = filter
  return {
    tenant: (bind) => `d.tenant_id${collationFor(filter, order)} = ${bind(tenant)}`,
    event: given(eventId, (id, bind) => `d.event_id = ${bind(typeIdToUuid('evt', id))}`),
    key: given(taskId, (id, bind) => `d.ordering_key = ${bind(id)}`),
    task: given(taskId, (id, bind) => `${TASK_ID} = ${bind(id)}`),
    webhook: given(webhookId, (id, bind) => `d.webhook_id = ${bind(typeIdToUuid('whk', id))}`),
    status: given(status, (shown) => STATUS_CONDITIONS[shown]),
    types: given(types, (names, bind) => `d.event_type = ANY (${bind(names)}::text[])`),
    error: given(errorClass, (name, bind) => `d.last_error_class = ${bind(name)}`),
    after: given(afterMs, (ms, bind) => `d.created_at >= ${bind(new Date(ms))}`),
    before: given(beforeMs, (ms, bind) => `d.created_at < ${bind(new Date(ms))}`),
    cursor: given(cursorId, (id, bind) => beyond(order, `${bind(typeIdToUuid('dlv', id))}::uuid`)),
  }
}

/**
 * The collation of the index that is to be taken, so that no other one fits. The index in "POSIX" holds failed deliveries alone, so that it does not fit a list
 * of an event, whose status is checked row by row: its rows are found by `event_id`. Nor does it fit unfinished deliveries by id.
 */
function collationFor(
  { eventId, taskId, webhookId, status }: DeliveryFilter,
  order: DeliveryListOptions['order'],
): string {
  if (order === 'id' || eventId !== undefined) return ' COLLATE "POSIX"'
  if (taskId !== undefined) return ' COLLATE "C"'
  if (webhookId !== undefined) return status === 'failed' ? ' COLLATE "POSIX"' : ' COLLATE "C"'
  return status === 'failed' ? ' COLLATE "ucs_basic"' : ''
}

function given<T>(value: T | undefined, write: (value: T, bind: Bind) => string): ((bind: Bind) => string) | undefined {
  return value === undefined ? undefined : (bind) => write(value, bind)
}

/** A delivery that has been dropped since then was listed under the time in its id, or later. */
function beyond(order: DeliveryListOptions['order'], id: string): string {
  if (order === 'id') return `d.id > ${id}`
  const at = `coalesce((SELECT c.created_at FROM deliveries c WHERE c.id = ${id}), to_timestamp(uuid_v7_ms(${id}) / 1000.0))`
  return `(d.created_at, d.id) ${order === 'asc' ? '>' : '<'} (${at}, ${id})`
}
