import {
  isWanted,
  type Observation,
  type PlacedEvent,
  type PlannedEvent,
  type StreamSeen,
  type WebhookSeen,
} from './ledger.ts'

/** One broken promise: where it was seen, which event, and the fault. */
export interface Violation {
  readonly kind: 'missing' | 'doubled' | 'order' | 'foreign' | 'changed' | 'position' | 'deadLetter' | 'unsigned'
  readonly where: string
  readonly id: string
  readonly detail: string
}

/** Ingest sends a batch again when its outcome is unknown. */
const RECORDS_OF_A_POST_MAX = 2

/**
 * Checks an observation against the ledger of acknowledged events and returns every broken promise; empty means that
 * all held. The log is the reference for streams and webhooks, as an event that was written without its
 * acknowledgement having arrived is an event too.
 */
export function checkLedger(seen: Observation): readonly Violation[] {
  const first = firstRecords(seen.log)
  return [
    ...checkLog(seen, first),
    ...checkTable(seen.table, first),
    ...checkDeadLetters(seen.deadLetters),
    ...seen.streams.flatMap((stream) => checkStream(stream, first)),
    ...seen.webhooks.flatMap((webhook) => checkWebhook(webhook, first)),
    ...checkListed(seen, first),
  ]
}

/** Violations by place and kind, for a message that a person can read: `{ "stream all: missing": 3 }`. */
export function summarize(violations: readonly Violation[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>()
  for (const { where, kind } of violations) {
    const name = `${where}: ${kind}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return Object.fromEntries(counts)
}

/** Events with more than two records in the log for each post (`posts`, by id). */
export function tooManyDuplicates(
  log: readonly PlacedEvent[],
  posts: ReadonlyMap<string, number>,
): readonly { readonly id: string; readonly records: number; readonly posts: number }[] {
  const records = new Map<string, number>()
  for (const { id } of log) records.set(id, (records.get(id) ?? 0) + 1)
  return [...records]
    .map(([id, count]) => ({ id, records: count, posts: posts.get(id) ?? 0 }))
    .filter((each) => each.records > RECORDS_OF_A_POST_MAX * each.posts)
}

type RecordsById = ReadonlyMap<string, ReadonlyMap<string, PlacedEvent>>

/** Tenant to id to the copy at the lowest offset: what counts when the same event was posted again. */
function firstRecords(log: readonly PlacedEvent[]): RecordsById {
  const tenants = new Map<string, Map<string, PlacedEvent>>()
  for (const record of log) {
    const records = tenants.get(record.tenant) ?? new Map<string, PlacedEvent>()
    tenants.set(record.tenant, records)
    const known = records.get(record.id)
    if (known === undefined || record.offset < known.offset) records.set(record.id, record)
  }
  return tenants
}

function checkLog(seen: Observation, first: RecordsById): Violation[] {
  const found: Violation[] = []
  for (const event of seen.acknowledged) {
    const record = first.get(event.tenant)?.get(event.id)
    if (record === undefined) found.push(violation('missing', 'log', event.id, 'acknowledged but not in Kafka'))
    else found.push(...checkSame('log', event, record))
  }
  return found
}

function checkTable(table: readonly PlacedEvent[], first: RecordsById): Violation[] {
  const found: Violation[] = []
  const rows = new Map<string, Set<string>>()
  for (const row of table) {
    const ids = rows.get(row.tenant) ?? new Set<string>()
    rows.set(row.tenant, ids)
    if (ids.has(row.id)) found.push(violation('doubled', 'table', row.id, 'two rows for one event'))
    ids.add(row.id)
    const record = first.get(row.tenant)?.get(row.id)
    if (record === undefined) {
      found.push(violation('foreign', 'table', row.id, `tenant ${row.tenant} has a row that the log does not have`))
      continue
    }
    found.push(...checkSame('table', record, row))
    if (record.partition !== row.partition || record.offset !== row.offset) {
      const detail = `row says ${row.partition}/${row.offset}, first record is at ${record.partition}/${record.offset}`
      found.push(violation('position', 'table', row.id, detail))
    }
  }
  for (const [tenant, records] of first) {
    for (const id of records.keys()) {
      if (rows.get(tenant)?.has(id) !== true) found.push(violation('missing', 'table', id, 'in Kafka, not in Postgres'))
    }
  }
  return found
}

function checkDeadLetters(count: number): Violation[] {
  return count === 0 ? [] : [violation('deadLetter', 'log', '', `${count} dead letters`)]
}

function checkStream(stream: StreamSeen, first: RecordsById): Violation[] {
  const where = `stream ${stream.name}`
  const found: Violation[] = []
  const wanted = wantedIds(stream.tenant, stream.wanted, first)
  const seen = new Set<string>()
  const lastOffsets = new Map<string, number>()
  for (const frame of stream.received) {
    const record = wanted.get(frame.id)
    if (record === undefined) {
      found.push(violation('foreign', where, frame.id, 'not an event that this stream asked for'))
      continue
    }
    if (seen.has(frame.id)) found.push(violation('doubled', where, frame.id, 'sent twice'))
    else if (record.offset < (lastOffsets.get(record.taskId) ?? -1)) {
      found.push(violation('order', where, frame.id, `offset ${record.offset} after a later one of ${record.taskId}`))
    }
    if (!seen.has(frame.id)) lastOffsets.set(record.taskId, record.offset)
    seen.add(frame.id)
    if (frame.data !== record.data || frame.type !== record.type) {
      found.push(violation('changed', where, frame.id, 'not the bytes or the type that were posted'))
    }
  }
  return [...found, ...missingFrom(where, wanted, seen)]
}

function checkWebhook(webhook: WebhookSeen, first: RecordsById): Violation[] {
  const where = `webhook ${webhook.name}`
  const found: Violation[] = []
  const wanted = wantedIds(webhook.tenant, webhook.wanted, first)
  const seen = new Set<string>()
  for (const delivery of webhook.received) {
    const record = wanted.get(delivery.eventId)
    if (!delivery.verified) found.push(violation('unsigned', where, delivery.eventId, 'signature does not verify'))
    if (record === undefined) {
      found.push(violation('foreign', where, delivery.eventId, 'not an event that this webhook asked for'))
      continue
    }
    if (delivery.webhookId !== delivery.eventId) {
      found.push(violation('doubled', where, delivery.eventId, `arrived with the webhook-id ${delivery.webhookId}`))
    }
    if (delivery.data !== record.data) found.push(violation('changed', where, delivery.eventId, 'not the bytes posted'))
    seen.add(delivery.eventId)
  }
  return [...found, ...missingFrom(where, wanted, seen)]
}

function checkListed(seen: Observation, first: RecordsById): Violation[] {
  return seen.listed.flatMap((event) => {
    const record = first.get(event.tenant)?.get(event.id)
    if (record === undefined) return [violation('foreign', 'list', event.id, `shown to tenant ${event.tenant}`)]
    return record.data === event.data ? [] : [violation('changed', 'list', event.id, 'not the bytes posted')]
  })
}

function wantedIds(tenant: string, wanted: StreamSeen['wanted'], first: RecordsById): Map<string, PlacedEvent> {
  const records = [...(first.get(tenant)?.values() ?? [])]
  return new Map(records.filter((event) => isWanted(event, tenant, wanted)).map((event) => [event.id, event]))
}

function missingFrom(where: string, wanted: ReadonlyMap<string, PlacedEvent>, seen: ReadonlySet<string>): Violation[] {
  const missing = [...wanted.values()].filter((event) => !seen.has(event.id))
  return missing.map((event) => {
    return violation('missing', where, event.id, `is at ${event.partition}/${event.offset}, never arrived`)
  })
}

function checkSame(where: string, expected: PlannedEvent, actual: PlannedEvent): Violation[] {
  const changed = (['type', 'taskId', 'agent', 'data'] as const).filter((name) => expected[name] !== actual[name])
  return changed.map((name) => {
    return violation('changed', where, expected.id, `${name} is ${actual[name]}, not ${expected[name]}`)
  })
}

function violation(kind: Violation['kind'], where: string, id: string, detail: string): Violation {
  return { kind, where, id, detail }
}
