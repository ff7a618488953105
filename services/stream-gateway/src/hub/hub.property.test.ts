import { describe, expect, test } from '@jest/globals'
import { TenantTurns } from '@ariftly/fairness'
import { encodeRecord, eventIdMs, matches, newEventId, partitionOf } from '@ariftly/events'
import type { EventType, LogEvent } from '@ariftly/events'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import type { RecordView } from '@ariftly/kafka'
import type { HistoryPartition, HistoryRow } from '../history/read-history-page.ts'
import { recordViewOf, sampleEvent } from '@ariftly/testkit'
import fc from 'fast-check'
import { createDispatch } from '../epochs/dispatch-records.ts'
import { openingFrame } from '../frames/control-frames.ts'
import { unchunk } from '../frames/frames.ts'
import { createStreamIds, type StreamIds } from '@ariftly/http'
import { originOf, type OffsetVector } from '../log/offset-vector.ts'
import { positionOfNow } from '../log/start-position.ts'
import { streamFilter, type StreamFilter } from './filter.ts'
import type { HubOptions } from './hub-options.ts'
import { Hub } from './hub.ts'
import { Subscriber, type Sink } from './subscriber.ts'
import { UnsentBudget } from './unsent-budget.ts'

/*
 * A simulation without sockets, Kafka and Postgres: a log of three partitions with duplicates and dead letters, a projection
 * that follows it, two gateways that read it each at its own pace with a ring of a few records, and clients that are cut at
 * any byte, move between the gateways and stop reading. In any order of these steps each client must see each event of its
 * filter exactly once, in log order per partition.
 */

const PARTITIONS = 3
const EPOCH = 1
const TYPES: readonly EventType[] = ['task.created', 'task.progress', 'task.complete']
const START_MS = Date.UTC(2026, 10, 25)
/** Records that are projected before the gateways start. */
const EARLIER_RECORDS = 12

interface LogRecord {
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
  /** Undefined: a dead letter. */
  readonly event: LogEvent | undefined
  readonly isCopy: boolean
}

/** Which event a client has received. */
interface Received {
  readonly id: string
  readonly partition: number
  readonly offset: number
}

class World {
  readonly log: LogRecord[][] = Array.from({ length: PARTITIONS }, () => [])
  /** The events of the log by their data: those of two are not equal. */
  readonly byData = new Map<string, Received>()
  readonly projected = originOf(PARTITIONS)
  readonly ids: StreamIds = createStreamIds(createKeyring(generateEncryptionKey('k1')))
  readonly gateways: SimGateway[]
  readonly clients: SimClient[] = []
  nowMs = START_MS
  /** Streams that were opened. */
  opened = 0

  constructor(ringBytesMax: number) {
    for (let seed = 0; seed < EARLIER_RECORDS; seed += 1) this.append(seed)
    for (let partition = 0; partition < PARTITIONS; partition += 1) project(this, partition, Infinity)
    this.gateways = [
      new SimGateway(this, { ringBytesMax }),
      // Its groups are stopped at their second frame.
      new SimGateway(this, { ringBytesMax, pendingBytesMax: 100 }),
    ]
  }

  append(seed: number): void {
    const partition = seed % PARTITIONS
    const list = this.log[partition] ?? []
    const offset = list.length
    this.nowMs += seed % 50
    const kind = Math.floor(seed / PARTITIONS) % 8
    const appendedAtMs = this.nowMs
    const earlier = list.filter((record) => record.event !== undefined)
    const copied = earlier[Math.floor(seed / 64) % Math.max(1, earlier.length)]?.event
    if (kind === 0) list.push({ partition, offset, appendedAtMs, event: undefined, isCopy: false })
    else if (kind === 1 && copied !== undefined) {
      list.push({ partition, offset, appendedAtMs, event: copied, isCopy: true })
    } else {
      const event = this.newEvent(partition, seed)
      list.push({ partition, offset, appendedAtMs, event, isCopy: false })
      this.byData.set(event.data.toString(), { id: event.id, partition, offset })
    }
  }

  newEvent(partition: number, seed: number): LogEvent {
    const tenant = seed % 7 === 0 ? 'other' : 'acme'
    const taskId = taskOf(tenant, partition, seed % 2)
    return sampleEvent({
      tenant,
      // Some are ahead of the time at which they are appended.
      id: newEventId(this.nowMs + (seed % 11 === 0 ? seed % 600_000 : 0)),
      type: TYPES[seed % TYPES.length] ?? 'task.progress',
      taskId,
      agent: seed % 5 < 2 ? 'writer' : null,
      data: Buffer.from(`{"task_id":"${taskId}","n":${seed}}`),
    })
  }

  /** What one statement would see now. */
  historyPage(filter: StreamFilter, position: OffsetVector, rowsMax: number): ReadonlyMap<number, HistoryPartition> {
    const pages = new Map<number, HistoryPartition>()
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const nextOffset = this.projected[partition] ?? 0
      const all = (this.log[partition] ?? [])
        .slice(0, nextOffset)
        .flatMap((record) => (record.event === undefined || record.isCopy ? [] : [toRow(record, record.event)]))
        .filter((row) => row.offset >= (position[partition] ?? 0))
        .filter((row) => matches(filter, this.eventAt(partition, row.offset)))
      const rows = all.slice(0, rowsMax)
      const end = rows.length < all.length ? rows.at(-1) : undefined
      const readTo = end === undefined ? nextOffset : end.offset + 1
      pages.set(partition, { nextOffset, readTo, cutId: end?.id, matching: all.length, rows })
    }
    return pages
  }

  /** The time of the newest id that a tenant has in Postgres. */
  newestMs(tenant: string): number {
    const projected = this.log.flatMap((list, partition) => list.slice(0, this.projected[partition] ?? 0))
    const times = projected.map(({ event }) => (event?.tenant === tenant ? eventIdMs(event.id) : -Infinity))
    return Math.max(-Infinity, ...times)
  }

  eventAt(partition: number, offset: number): LogEvent {
    const event = this.log[partition]?.[offset]?.event
    if (event === undefined) throw new Error('no event there')
    return event
  }
}

function toRow(record: LogRecord, event: LogEvent): HistoryRow {
  const { id, type, taskId, sessionId, agent, data } = event
  return { offset: record.offset, id, type, taskId, sessionId, agent, data, appendedAtMs: record.appendedAtMs }
}

/** One of two tasks whose key is in a partition. */
function taskOf(tenant: string, partition: number, which: number): string {
  for (let n = 0, found = 0; ; n += 1) {
    const taskId = `task_${n}`
    if (partitionOf(`${tenant}/${taskId}`, PARTITIONS) !== partition) continue
    if (found === which) return taskId
    found += 1
  }
}

interface Deferred {
  run(): void
}

class SimGateway {
  readonly hub: Hub
  readonly dispatch: ReturnType<typeof createDispatch>
  /** Answers that Postgres has not given yet. */
  readonly waiting: Deferred[] = []
  readonly reading = new Set<number>()
  scheduled: (() => void) | undefined
  rowsMax = 2
  readonly world: World

  constructor(world: World, o: Pick<HubOptions, 'ringBytesMax' | 'pendingBytesMax'>) {
    this.world = world
    this.hub = new Hub({
      epoch: EPOCH,
      start: Float64Array.from(world.projected),
      fromOrigin: Array.from({ length: PARTITIONS }, () => false),
      ids: world.ids,
      ...o,
      idsMax: 0,
      unsentBytesMax: 600,
      // Several slices of each filter, so that streams that catch up share some.
      sliceSize: { bytes: 500, records: 4 },
      unprojectedIdsMax: 1000,
      budget: new UnsentBudget(1e9),
      historyTurns: new TenantTurns({ concurrencyMax: 2 }),
      readHistory: (filter, position) =>
        this.defer(() => ({ partitions: world.historyPage(filter, position, this.rowsMax), isLarge: false })),
      closeStream: (subscriber) => this.close(subscriber),
      lookUps: {
        lookUp: (partition, candidates) =>
          this.defer(() => {
            const below = (world.log[partition] ?? []).slice(0, world.projected[partition])
            const found = candidates.flatMap(({ id, offset }, at) =>
              below.some((record) => record.event?.id === id && record.offset < offset) ? [at] : [],
            )
            return new Set(found)
          }),
        newestTimes: (tenants) => this.defer(() => new Map(tenants.map((tenant) => [tenant, world.newestMs(tenant)]))),
        onOpened: () => undefined,
      },
      now: () => 0,
      schedule: (run) => {
        this.scheduled = run
      },
    })
    this.dispatch = createDispatch({ hub: this.hub, now: () => 0 })
  }

  /** As the heartbeats do: a last checkpoint, then the end; the client reconnects. */
  close(subscriber: Subscriber): void {
    const client = this.world.clients.find((each) => each.client === subscriber)
    const checkpoint = this.hub.checkpoint(subscriber)
    if (checkpoint !== undefined) subscriber.sink.write(checkpoint)
    subscriber.sink.end()
    if (client !== undefined) client.isEnded = true
  }

  defer<T>(answer: () => T): Promise<T> {
    return new Promise((resolve) => this.waiting.push({ run: () => resolve(answer()) }))
  }

  /** Starts to handle the next records of a partition, as a log reader does: one batch of a partition at a time. */
  read(partition: number, count: number): void {
    if (this.reading.has(partition)) return
    const from = this.hub.ring.position[partition] ?? 0
    const batch = (this.world.log[partition] ?? []).slice(from, from + count)
    if (batch.length === 0) return
    this.reading.add(partition)
    void this.handle(partition, batch)
  }

  async handle(partition: number, batch: readonly LogRecord[]): Promise<void> {
    const records = batch.map(viewOf)
    const nextOffset = (batch.at(-1)?.offset ?? 0) + 1
    await this.dispatch({ partition, records, nextOffset }, new AbortController().signal)
    this.reading.delete(partition)
  }

  tick(): void {
    const run = this.scheduled
    this.scheduled = undefined
    run?.()
  }
}

function viewOf({ partition, offset, appendedAtMs, event }: LogRecord): RecordView {
  const place = { partition, offset, timestampMs: appendedAtMs }
  // A dead letter that has the key and id of an event all the same.
  const parts = encodeRecord(event ?? { ...DEAD_LETTER, id: newEventId(appendedAtMs) })
  const headers = event === undefined ? { ...parts.headers, ce_time: 'never' } : parts.headers
  return recordViewOf({ ...place, key: parts.key, value: parts.value, headers })
}

const DEAD_LETTER: Omit<LogEvent, 'id'> = {
  tenant: 'acme',
  type: 'task.progress',
  taskId: 'task_0',
  sessionId: null,
  agent: null,
  data: Buffer.from('{"task_id":"task_0"}'),
  traceparent: null,
}

class SimSink implements Sink {
  readonly blocks: Buffer[] = []
  unread = 0
  open = true
  write(block: Buffer): number {
    if (!this.open) return this.unread
    this.blocks.push(block)
    this.unread += block.length
    return this.unread
  }
  unsentBytes(): number {
    return this.unread
  }
  hasRoom(): boolean {
    return this.unread < 400
  }
  sentBytes(): number {
    return 0
  }
  end(): void {
    this.open = false
  }
  destroy(): void {
    this.open = false
  }
}

class SimClient {
  readonly world: World
  readonly filter: StreamFilter
  readonly fromOrigin: boolean
  received: Received[] = []
  lastId: string | undefined
  startedAt: OffsetVector = originOf(PARTITIONS)
  sink = new SimSink()
  gateway: SimGateway
  client: Subscriber
  /** The gateway has closed it: it is too slow. */
  isEnded = false

  constructor(world: World, gateway: SimGateway, filter: StreamFilter, fromOrigin: boolean) {
    this.world = world
    this.filter = filter
    this.fromOrigin = fromOrigin
    this.gateway = gateway
    this.client = this.connect(gateway)
  }

  connect(gateway: SimGateway): Subscriber {
    this.gateway = gateway
    this.sink = new SimSink()
    const { hub } = gateway
    this.world.opened += 1
    const client = new Subscriber({
      number: this.world.opened,
      filter: this.filter,
      sink: this.sink,
      keyId: 'key',
      partitions: PARTITIONS,
      nowMs: 0,
    })
    this.isEnded = false
    const position = this.positionToStart(hub)
    this.client = client
    hub.begin(client, position, openingFrame(1000, this.world.ids.seal({ epoch: EPOCH, position })))
    return client
  }

  positionToStart(hub: Hub): OffsetVector {
    if (this.lastId !== undefined) {
      const place = this.world.ids.open(this.lastId)
      if (place === undefined) throw new Error('an id of ours cannot be opened')
      return place.position
    }
    this.received = []
    this.startedAt = this.fromOrigin ? originOf(PARTITIONS) : positionOfNow(hub.ring.position, originOf(PARTITIONS))
    return Float64Array.from(this.startedAt)
  }

  /** Takes all that was written. */
  drain(): void {
    this.sink.unread = 0
    if (this.isEnded) this.cut(Infinity, this.gateway)
    else this.gateway.hub.onWritable(this.client)
  }

  /** The connection is cut after some of its bytes; the client reconnects to a gateway with its last id. */
  cut(byteSeed: number, gateway: SimGateway): void {
    this.gateway.hub.remove(this.client)
    const bytes = unchunk(Buffer.concat(this.sink.blocks))
    this.take(bytes.subarray(0, byteSeed === Infinity ? bytes.length : byteSeed % (bytes.length + 1)))
    this.connect(gateway)
  }

  /** A Server-Sent Events client: ignores an incomplete block. */
  take(bytes: Buffer): void {
    const blocks = bytes.toString('utf8').split('\n\n')
    blocks.pop()
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      const data = fields.get('data') ?? ''
      const event = fields.get('event') ?? ''
      this.lastId = fields.get('id') ?? this.lastId
      if (!event.startsWith('stream.')) this.received.push(this.identify(data))
    }
  }

  identify(data: string): Received {
    const received = this.world.byData.get(data)
    if (received === undefined) throw new Error(`not an event of the log: ${data}`)
    return received
  }

  expected(): string[] {
    return this.world.log.flatMap((list) =>
      list.flatMap(({ event, isCopy, offset, partition }) =>
        event !== undefined && !isCopy && offset >= (this.startedAt[partition] ?? 0) && matches(this.filter, event)
          ? [event.id]
          : [],
      ),
    )
  }
}

const FILTERS: readonly StreamFilter[] = [
  streamFilter('acme', {}, false),
  streamFilter('acme', { taskId: taskOf('acme', 1, 1) }, false),
  streamFilter('acme', { agent: 'writer' }, false),
  streamFilter('acme', { types: ['task.progress', 'task.complete'] }, false),
]

type Command = readonly [kind: number, seed: number]

async function play(world: World, commands: readonly Command[]): Promise<void> {
  for (const [kind, seed] of commands) {
    act(world, kind, seed)
    await settle()
  }
}

function act(world: World, kind: number, seed: number): void {
  const gateway = world.gateways[seed % 2]
  const client = world.clients[seed % Math.max(1, world.clients.length)]
  if (gateway === undefined) throw new Error('no gateway')
  const partition = Math.floor(seed / 2) % PARTITIONS
  switch (kind) {
    case 0:
    case 1:
    case 2:
      // Data of two events must not be equal, as the clients know events by it.
      world.append(seed * 1000 + world.log.reduce((sum, list) => sum + list.length, 0))
      break
    case 3:
    case 4:
      gateway.read(partition, 1 + (seed % 5))
      break
    case 5:
      project(world, partition, 1 + (seed % 6))
      break
    case 6:
      gateway.hub.setProjected(Float64Array.from(world.projected))
      break
    case 7:
    case 8:
      gateway.tick()
      break
    case 9:
      answerOne(gateway, seed)
      break
    case 10:
      if (seed % 4 === 0) gateway.hub.closeOverfull(0)
      else client?.drain()
      break
    case 11:
      client?.cut(seed * 31, gateway)
      break
    default:
      if (world.clients.length < 5) {
        const filter = FILTERS[seed % FILTERS.length]
        if (filter !== undefined) world.clients.push(new SimClient(world, gateway, filter, seed % 3 === 0))
      }
  }
}

function project(world: World, partition: number, count: number): void {
  const end = world.log[partition]?.length ?? 0
  world.projected[partition] = Math.min(end, (world.projected[partition] ?? 0) + count)
}

function answerOne(gateway: SimGateway, seed: number): void {
  const [deferred] = gateway.waiting.splice(seed % Math.max(1, gateway.waiting.length), 1)
  deferred?.run()
}

async function settle(): Promise<void> {
  for (let n = 0; n < 6; n += 1) await Promise.resolve()
}

/** All that is late happens: everything is read, projected, answered and taken. */
async function finish(world: World): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition += 1) project(world, partition, Infinity)
  for (let round = 0; round < 400; round += 1) {
    for (const gateway of world.gateways) {
      for (let partition = 0; partition < PARTITIONS; partition += 1) gateway.read(partition, 3)
      while (gateway.waiting.length > 0) answerOne(gateway, 0)
      await settle()
      gateway.hub.setProjected(Float64Array.from(world.projected))
      gateway.tick()
    }
    for (const client of world.clients) client.drain()
    await settle()
    if (round > 20 && world.clients.every((client) => client.client.phase === 'live') && isQuiet(world)) return
  }
}

function isQuiet(world: World): boolean {
  return world.gateways.every(
    (gateway) =>
      gateway.scheduled === undefined &&
      gateway.hub.ring.position.every((offset, partition) => offset === world.log[partition]?.length),
  )
}

const commands = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.nat({ max: 100_000 })), {
  minLength: 20,
  maxLength: 250,
  size: 'max',
})

describe('history, live events and shared frames', () => {
  test('shows each client each event of its filter exactly once and in order, in any order of steps', async () => {
    let events = 0
    await fc.assert(
      fc.asyncProperty(commands, fc.integer({ min: 1, max: 12 }), async (steps, ringRecords) => {
        const world = new World(ringRecords * 900)
        await play(world, [[12, 0], [12, 3], ...steps])
        await finish(world)
        for (const client of world.clients) {
          expect(client.client.phase).toBe('live')
          client.take(unchunk(Buffer.concat(client.sink.blocks)))
          expect(client.received.map(({ id }) => id).toSorted()).toEqual(client.expected().toSorted())
          for (let partition = 0; partition < PARTITIONS; partition += 1) {
            const offsets = client.received.filter((got) => got.partition === partition).map((got) => got.offset)
            expect(offsets).toEqual(offsets.toSorted((a, b) => a - b))
          }
          events += client.received.length
        }
      }),
      { numRuns: 300, endOnFailure: true },
    )
    expect(events).toBeGreaterThan(1000)
  }, 600_000)
})
