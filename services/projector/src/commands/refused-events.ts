import { describeLog, scanLog } from '@ariftly/kafka'
import type { CommandContext } from './command.ts'

/** Which events of the log are dead letters since Postgres refused them. */
export interface RefusedEvents {
  /** Whether the event at this offset is one. The dead letters are read at the first question, which is rarely asked. */
  has(partition: number, offset: number): Promise<boolean>
}

/** Knows the ones that the dead-letter topic still holds; it keeps them as long as the log keeps its records. */
export function createRefusedEvents(context: CommandContext): RefusedEvents {
  let read: Promise<ReadonlyMap<number, ReadonlySet<number>>> | undefined

  async function has(partition: number, offset: number): Promise<boolean> {
    read ??= readRefused(context)
    return (await read).get(partition)?.has(offset) === true
  }

  return { has }
}

async function readRefused({
  kafka,
  topic,
  dlqTopic,
}: CommandContext): Promise<ReadonlyMap<number, ReadonlySet<number>>> {
  const offsetsOf = new Map<number, Set<number>>()
  const { partitions } = await describeLog(kafka, dlqTopic)
  for (const { partition, logStart, logEnd } of partitions) {
    const range = { topic: dlqTopic, partition, from: logStart, to: logEnd }
    for await (const records of scanLog(kafka, { ...range, onLogStart: () => {} })) {
      for (const { headers } of records) {
        if (String(headers['dlq_topic']) !== topic || String(headers['dlq_reason']) !== 'not_storable') continue
        const its = Number(headers['dlq_partition'])
        const offsets = offsetsOf.get(its) ?? new Set()
        offsetsOf.set(its, offsets.add(Number(headers['dlq_offset'])))
      }
    }
  }
  return offsetsOf
}
