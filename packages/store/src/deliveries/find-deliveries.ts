import { typeIdToUuid, uuidToTypeId, type EventType } from '@ariftly/events'
import type { QueryConfig } from 'pg'
import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'
import {
  DELIVERY_COLUMNS,
  LAST_ERROR_CLASS,
  STATUS_CONDITIONS,
  TASK_ID,
  toDeliveryRow,
  type DeliveryColumns,
  type DeliveryRow,
  type DeliveryStatus,
} from './delivery-row.ts'

/** Which deliveries are meant; absent members filter nothing. */
export interface DeliveryFilter {
  /** `whk_…`. */
  readonly webhookId?: string
  /** `evt_…`. */
  readonly eventId?: string
  readonly taskId?: string
  readonly status?: DeliveryStatus
  readonly types?: readonly EventType[]
  /** Of the newest attempt. */
  readonly errorClass?: string
  /** Whole milliseconds of `created_at`, inclusive. */
  readonly afterMs?: number
  /** Whole milliseconds of `created_at`, exclusive. */
  readonly beforeMs?: number
}

export interface FindDeliveriesOptions {
  readonly tenant: string
  readonly filter: DeliveryFilter
  /** By `created_at`, then id. */
  readonly order: 'asc' | 'desc'
  /** The last delivery that was looked at before. */
  readonly cursorId?: string
  readonly limit: number
}

export interface FoundDeliveries {
  readonly deliveries: readonly DeliveryRow[]
  /** The last delivery that was looked at; undefined when none follows. A page may be short, or empty, before the last one. */
  readonly nextId: string | undefined
}

/** Rows that one page looks at when it has to judge each of them. */
const SCAN_MAX = 2000

/**
 * A page of a tenant's deliveries. What its index cannot tell is judged row by row, at most 2,000 rows a page, so that a
 * selective filter costs no more than another one. For connections with `LIST_SETTINGS`; see `findDeliveriesQuery`.
 */
export async function findDeliveries(db: Queryable, o: FindDeliveriesOptions): Promise<FoundDeliveries> {
  const { rows } = await db.query<DeliveryColumns>(findDeliveriesQuery(o))
  const deliveries = rows.slice(0, o.limit).map(toDeliveryRow)
  if (rows.length > o.limit) return { deliveries, nextId: deliveries.at(-1)?.id }
  return { deliveries, nextId: o.filter.eventId === undefined ? await lastScanned(db, o) : undefined }
}

/** Where a page ended that has looked at as many rows as it may. */
async function lastScanned(db: Queryable, o: FindDeliveriesOptions): Promise<string | undefined> {
  const shape = createShape(o)
  if (shape.judged.length === 0) return undefined
  const { rows } = await db.query<{ id: string }>(
    prepared(
      `SELECT id FROM (${shape.scan(SCAN_MAX)}) AS d OFFSET ${SCAN_MAX - 1}`,
      shape.values.slice(0, shape.scanValues),
    ),
  )
  return rows[0] === undefined ? undefined : uuidToTypeId('dlv', rows[0].id)
}

/**
 * The statement of a page, prepared once per shape. Which index it ranges over:
 *
 * - an event: `deliveries_event`, all of its few rows, sorted;
 * - a task: `deliveries_task`; a webhook: `deliveries_webhook_created`, its failed ones `deliveries_webhook_failed`;
 * - failed ones of a tenant: `deliveries_tenant_failed`; else `deliveries_tenant_created`.
 *
 * Each partition's range is merged by `created_at` and id and read only as far as the page goes.
 */
export function findDeliveriesQuery(o: FindDeliveriesOptions): QueryConfig<unknown[]> {
  const shape = createShape(o)
  const direction = o.order === 'asc' ? 'ASC' : 'DESC'
  const where = shape.judged.length === 0 ? '' : ` WHERE ${shape.judged.join(' AND ')}`
  const limit = `$${shape.values.push(o.limit + 1)}`
  const scanned = shape.judged.length === 0 ? limit : SCAN_MAX
  return prepared(
    `SELECT ${DELIVERY_COLUMNS} FROM (${shape.scan(scanned)}) AS d${where} ` +
      `ORDER BY d.created_at ${direction}, d.id ${direction} LIMIT ${limit}`,
    shape.values,
  )
}

interface Shape {
  /** Those of the scan first. */
  readonly values: unknown[]
  readonly scanValues: number
  /** Rows in the order of the page, by one index; `limit` is a number or a parameter. */
  readonly scan: (limit: number | string) => string
  /** Conditions that the index does not tell, on `d`. */
  readonly judged: readonly string[]
}

type Bind = (value: unknown) => string
type Conditions = Readonly<Record<string, ((bind: Bind) => string) | undefined>>

function createShape(o: FindDeliveriesOptions): Shape {
  const conditions = conditionsOf(o)
  const scanned = scannedBy(o.filter).filter((name) => conditions[name] !== undefined)
  const judged = Object.keys(conditions).filter((name) => conditions[name] !== undefined && !scanned.includes(name))
  const values: unknown[] = []
  const written = (names: readonly string[]): string[] =>
    names.map((name) => conditions[name]?.((value) => `$${values.push(value)}`) ?? 'true')
  const found = written(scanned).join(' AND ')
  const scanValues = values.length
  const direction = o.order === 'asc' ? 'ASC' : 'DESC'
  // Sorted here, the rows of an event would be looked for in an index by time.
  const ordering = o.filter.eventId === undefined ? ` ORDER BY d.created_at ${direction}, d.id ${direction}` : ''
  return {
    judged: written(judged),
    values,
    scanValues,
    scan: (limit) => `SELECT d.* FROM deliveries d WHERE ${found}${ordering} LIMIT ${limit}`,
  }
}

/** The conditions that one index serves. */
function scannedBy({ eventId, taskId, webhookId, status }: DeliveryFilter): readonly string[] {
  if (eventId !== undefined) return ['event']
  const range = ['tenant', 'after', 'before', 'cursor']
  if (taskId !== undefined) return ['key', ...range]
  const failed = status === 'failed' ? ['status'] : []
  return webhookId === undefined ? [...range, ...failed] : ['webhook', ...range, ...failed]
}

function conditionsOf({ tenant, filter, order, cursorId }: FindDeliveriesOptions): Conditions {
  const { webhookId, eventId, taskId, status, types, errorClass, afterMs, beforeMs } = filter
  return {
    tenant: (bind) => `d.tenant_id${collationFor(filter)} = ${bind(tenant)}`,
    event: given(eventId, (id, bind) => `d.event_id = ${bind(typeIdToUuid('evt', id))}`),
    key: given(taskId, (id, bind) => `d.ordering_key = ${bind(id)}`),
    task: given(taskId, (id, bind) => `${TASK_ID} = ${bind(id)}`),
    webhook: given(webhookId, (id, bind) => `d.webhook_id = ${bind(typeIdToUuid('whk', id))}`),
    status: given(status, (shown) => STATUS_CONDITIONS[shown]),
    types: given(types, (names, bind) => `d.event_type = ANY (${bind(names)}::text[])`),
    error: given(errorClass, (name, bind) => `${LAST_ERROR_CLASS} = ${bind(name)}`),
    after: given(afterMs, (ms, bind) => `d.created_at >= ${bind(new Date(ms))}`),
    before: given(beforeMs, (ms, bind) => `d.created_at < ${bind(new Date(ms))}`),
    cursor: given(cursorId, (id, bind) => beyond(order, `${bind(typeIdToUuid('dlv', id))}::uuid`)),
  }
}

/** The collation of the index that is to be taken, so that no other one fits. */
function collationFor({ eventId, taskId, webhookId, status }: DeliveryFilter): string {
  if (eventId !== undefined) return ''
  if (taskId === undefined && status === 'failed') return ' COLLATE "POSIX"'
  return taskId === undefined && webhookId === undefined ? '' : ' COLLATE "C"'
}

function given<T>(value: T | undefined, write: (value: T, bind: Bind) => string): ((bind: Bind) => string) | undefined {
  return value === undefined ? undefined : (bind) => write(value, bind)
}

/** A delivery that has been dropped since then stood at the time in its id, or later. */
function beyond(order: 'asc' | 'desc', id: string): string {
  const at = `coalesce((SELECT c.created_at FROM deliveries c WHERE c.id = ${id}), to_timestamp(uuid_v7_ms(${id}) / 1000.0))`
  return `(d.created_at, d.id) ${order === 'asc' ? '>' : '<'} (${at}, ${id})`
}
