import { newEventId, partitionOf } from '@ariftly/events'
import { createProducer } from '@ariftly/kafka'
import { withClient } from './topics.ts'

/** What ingest answered to a post of one event for each of some partitions. */
export interface PartitionAnswer {
  /** Status of the HTTP answer: 202, 207 or 503. */
  readonly status: number
  readonly ms: number
  /** `accepted`, `retry` or `refused`, by partition. */
  readonly statuses: ReadonlyMap<number, string>
  /** Ids of the accepted events. */
  readonly accepted: readonly string[]
}

/** Posts to partitions that the caller chooses. */
export interface PartitionPosts {
  /** Ids of all events that were posted. */
  readonly posted: readonly string[]
  /** Posts one event for each partition, in one request. Throws when the answer does not have the status of each event. */
  post(partitions: readonly number[]): Promise<PartitionAnswer>
}

/** Makes a client of ingest for a topic of so many partitions. */
export function createPartitionPosts(o: {
  readonly url: string
  readonly apiKey: string
  readonly tenant: string
  readonly partitions: number
}): PartitionPosts {
  const tasks = tasksByPartition(o.tenant, o.partitions)
  const posted: string[] = []

  async function post(partitions: readonly number[]): Promise<PartitionAnswer> {
    const events = partitions.map((partition) => eventOf(tasks[partition] ?? ''))
    posted.push(...events.map(({ id }) => id))
    const startedMs = performance.now()
    const response = await fetch(`${o.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${o.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(events),
    })
    const text = await response.text()
    const ms = performance.now() - startedMs
    const entries = entriesOf(text)
    if (entries.length !== events.length) throw new Error(`ingest answered ${response.status}: ${text}`)
    return {
      status: response.status,
      ms,
      statuses: new Map(partitions.map((partition, at) => [partition, entries[at]?.status ?? ''])),
      accepted: events.flatMap(({ id }, at) => (entries[at]?.status === 'accepted' ? [id] : [])),
    }
  }

  return { posted, post }
}

/** Its payload repeats its id, as a stream shows payloads alone. */
function eventOf(taskId: string) {
  const id = newEventId(Date.now())
  return { id, type: 'task.progress', task_id: taskId, agent: 'partitions', data: { message: 'm', ledger_id: id } }
}

/** Node id of the leader of each partition of a topic; -1 where there is none. */
export async function leadersOf(brokers: string, topic: string, partitions: number): Promise<readonly number[]> {
  return await withClient(brokers, async (client) => {
    const producer = createProducer(client, { topic })
    try {
      if (!(await producer.probe(10_000))) throw new Error(`no broker names the leaders of ${topic}`)
      return Array.from({ length: partitions }, (_, partition) => producer.leaderOf(partition))
    } finally {
      await producer.close()
    }
  })
}

/** Entries of a 202 or 207 (`data`), or of a 503 problem (`events`). */
function entriesOf(text: string): readonly { readonly status: string }[] {
  const body = JSON.parse(text) as Partial<Record<'data' | 'events', { status: string }[]>>
  return body.data ?? body.events ?? []
}

/** One task for each partition. */
function tasksByPartition(tenant: string, partitions: number): readonly string[] {
  const tasks: string[] = []
  for (let number = 0, found = 0; found < partitions; number += 1) {
    const task = `task_of_partition_${number}`
    const partition = partitionOf(`${tenant}/${task}`, partitions)
    if (tasks[partition] !== undefined) continue
    tasks[partition] = task
    found += 1
  }
  return tasks
}
