import type { Observation, PlacedEvent, StreamSeen, WebhookSeen } from './ledger.ts'
import type { Violation } from './checker.ts'

/** A falsified observation and what the checker has to say about it. */
export interface Tampering {
  readonly name: string
  readonly observation: Observation
  readonly expected: Pick<Violation, 'kind' | 'where' | 'id'>
}

/**
 * Falsifies a good observation in every way that the checker must detect: one id removed, one duplicated, two swapped, one of
 * another tenant, one byte changed; at each output of events. A checker that does not report each of them proves nothing.
 */
export function tamperings(good: Observation): readonly Tampering[] {
  const ofStreams = good.streams.flatMap((stream, at) => tamperStream(good, stream, at))
  const ofWebhooks = good.webhooks.flatMap((webhook, at) => tamperWebhook(good, webhook, at))
  return [...tamperLog(good), ...tamperTable(good), ...ofStreams, ...ofWebhooks, ...tamperLists(good)]
}

/** The part of an observation that is about some of the events: as consistent as the whole, and quicker to check. */
export function partOf(whole: Observation, ids: ReadonlySet<string>): Observation {
  const has = ({ id }: { readonly id: string }) => ids.has(id)
  return {
    ...whole,
    acknowledged: whole.acknowledged.filter(has),
    log: whole.log.filter(has),
    table: whole.table.filter(has),
    streams: whole.streams.map((stream) => ({ ...stream, received: stream.received.filter(has) })),
    webhooks: whole.webhooks.map((webhook) => {
      return { ...webhook, received: webhook.received.filter(({ eventId }) => ids.has(eventId)) }
    }),
    listed: whole.listed.filter(has),
  }
}

function tamperLog(good: Observation): Tampering[] {
  const event = middle(good.acknowledged)
  const log = good.log.filter((record) => record.tenant !== event.tenant || record.id !== event.id)
  return [
    {
      name: 'log: id removed',
      observation: { ...good, log },
      expected: { kind: 'missing', where: 'log', id: event.id },
    },
    {
      name: 'log: dead letter',
      observation: { ...good, deadLetters: 1 },
      expected: { kind: 'deadLetter', where: 'log', id: '' },
    },
  ]
}

function tamperTable(good: Observation): Tampering[] {
  const row = middle(good.table)
  const other = good.table.find((candidate) => candidate.partition === row.partition && candidate.id !== row.id)
  const expect = (kind: Violation['kind']) => ({ kind, where: 'table', id: row.id })
  const withRows = (table: readonly PlacedEvent[]) => ({ ...good, table })
  const others = good.table.filter((candidate) => candidate !== row)
  const swapped = [...others.filter((candidate) => candidate !== other), { ...row, offset: other?.offset ?? -1 }]
  return [
    { name: 'table: id removed', observation: withRows(others), expected: expect('missing') },
    { name: 'table: id doubled', observation: withRows([...good.table, row]), expected: expect('doubled') },
    { name: 'table: two swapped', observation: withRows(swapped), expected: expect('position') },
    {
      name: 'table: byte changed',
      observation: withRows([...others, { ...row, data: `${row.data} ` }]),
      expected: expect('changed'),
    },
    {
      name: 'table: row of another tenant',
      observation: withRows([...good.table, { ...row, tenant: 'nobody' }]),
      expected: expect('foreign'),
    },
  ]
}

function tamperStream(good: Observation, stream: StreamSeen, at: number): Tampering[] {
  const where = `stream ${stream.name}`
  const { received } = stream
  const index = Math.floor(received.length / 2)
  const frame = middle(received)
  const withFrames = (frames: StreamSeen['received']) => {
    return { ...good, streams: good.streams.with(at, { ...stream, received: frames }) }
  }
  const falsified = (name: string, kind: Violation['kind'], id: string, frames: StreamSeen['received']): Tampering => {
    return { name: `${where}: ${name}`, observation: withFrames(frames), expected: { kind, where, id } }
  }
  const two = twoOfOneTask(good, stream)
  return [
    falsified('id removed', 'missing', frame.id, received.toSpliced(index, 1)),
    falsified('id doubled', 'doubled', frame.id, received.toSpliced(index, 0, frame)),
    ...two.map(([early, late]) => {
      const swapped = received.with(early, received[late] ?? frame).with(late, received[early] ?? frame)
      return falsified('two swapped', 'order', received[early]?.id ?? '', swapped)
    }),
    falsified('byte changed', 'changed', frame.id, received.with(index, { ...frame, data: `${frame.data} ` })),
    falsified('event of another', 'foreign', 'evt_other', [...received, { ...frame, id: 'evt_other' }]),
  ]
}

/** Indices of the first two neighbours in the order of one task: the only order that is promised. A stream that gets little may have none. */
export function twoOfOneTask(good: Observation, stream: StreamSeen): readonly (readonly [number, number])[] {
  const tasks = new Map(good.log.filter((r) => r.tenant === stream.tenant).map((record) => [record.id, record.taskId]))
  const lastIndices = new Map<string, number>()
  for (const [index, { id }] of stream.received.entries()) {
    const task = tasks.get(id) ?? ''
    const before = lastIndices.get(task)
    if (before !== undefined) return [[before, index]]
    lastIndices.set(task, index)
  }
  return []
}

function tamperWebhook(good: Observation, webhook: WebhookSeen, at: number): Tampering[] {
  const where = `webhook ${webhook.name}`
  const delivery = middle(webhook.received)
  const id = delivery.eventId
  const withDeliveries = (received: WebhookSeen['received']) => {
    return { ...good, webhooks: good.webhooks.with(at, { ...webhook, received }) }
  }
  const without = webhook.received.filter((candidate) => candidate.eventId !== id)
  const and = (changed: Partial<typeof delivery>) => withDeliveries([...webhook.received, { ...delivery, ...changed }])
  return [
    { name: `${where}: id removed`, observation: withDeliveries(without), expected: { kind: 'missing', where, id } },
    { name: `${where}: new id`, observation: and({ webhookId: 'msg_2' }), expected: { kind: 'doubled', where, id } },
    { name: `${where}: unsigned`, observation: and({ verified: false }), expected: { kind: 'unsigned', where, id } },
    { name: `${where}: byte changed`, observation: and({ data: '{}' }), expected: { kind: 'changed', where, id } },
    {
      name: `${where}: event of another`,
      observation: and({ eventId: 'evt_other' }),
      expected: { kind: 'foreign', where, id: 'evt_other' },
    },
  ]
}

function tamperLists(good: Observation): Tampering[] {
  const entry = middle(good.listed)
  return [
    {
      name: 'list: event of another tenant',
      observation: { ...good, listed: [...good.listed, { ...entry, tenant: 'nobody' }] },
      expected: { kind: 'foreign', where: 'list', id: entry.id },
    },
  ]
}

function middle<T>(list: readonly T[]): T {
  const entry = list[Math.floor(list.length / 2)]
  if (entry === undefined) throw new Error('nothing to falsify')
  return entry
}
