import type { RawRecord } from '@ariftly/events'
import type { KafkaClient } from '../cluster/client.ts'
import { kafkaFault } from '../kafka-fault.ts'
import { createProducer, type ProducerRecord } from './producer.ts'

/** A record that breaks the contract, and why. */
export interface DeadLetter {
  readonly record: RawRecord
  /** A stable code. */
  readonly reason: string
  readonly detail: string
}

/** Writes to the dead-letter topic. */
export interface DeadLetterWriter {
  /**
   * Writes the dead letters with acks=all and resolves when all are acknowledged; rejects with fault `kafka_unavailable`
   * otherwise (then some may be written). A record that is too large even there goes without its value and with the header
   * `dlq_truncated`.
   */
  write(deadLetters: readonly DeadLetter[]): Promise<void>
  close(): Promise<void>
}

/** Dead letters of one produce request, bytes of keys and values; one alone may be above. */
const SEND_BYTES_MAX = 512 * 1024

/** What a dead letter has of its record, in addition to its partition and offset. */
interface Kept {
  readonly value: boolean
  readonly keyAndHeaders: boolean
}

const ALL: Kept = { value: true, keyAndHeaders: true }
/** In the order in which they are tried. */
const KEPT = [ALL, { value: false, keyAndHeaders: true }, { value: false, keyAndHeaders: false }]

/** Makes the writer of `dlqTopic`, for records of `topic`. */
export function createDeadLetterWriter(
  client: KafkaClient,
  o: { readonly topic: string; readonly dlqTopic: string },
): DeadLetterWriter {
  const producer = createProducer(client, { topic: o.dlqTopic })

  async function write(deadLetters: readonly DeadLetter[]): Promise<void> {
    for (const group of inGroups(deadLetters)) await writeGroup(group)
  }

  /** Dead letters that are too large together are written one by one, and one that is too large alone without parts of its record. */
  async function writeGroup(deadLetters: readonly DeadLetter[]): Promise<void> {
    let outcome = ''
    for (const kept of deadLetters.length === 1 ? KEPT : [ALL]) {
      outcome = await send(deadLetters.map((deadLetter) => toRecord(deadLetter, o.topic, kept)))
      if (outcome === 'written') return
      if (outcome !== 'MESSAGE_TOO_LARGE') break
    }
    if (outcome !== 'MESSAGE_TOO_LARGE' || deadLetters.length === 1) {
      throw kafkaFault('kafka_unavailable', `Dead letters could not be written: ${outcome}`)
    }
    for (const deadLetter of deadLetters) await writeGroup([deadLetter])
  }

  async function send(records: readonly ProducerRecord[]): Promise<string> {
    const { partitions } = await producer.send(records)
    const outcome = partitions.get(0)
    if (outcome === undefined) return 'no outcome'
    return outcome.type === 'written' ? 'written' : outcome.code
  }

  return { write, close: () => producer.close() }
}

function inGroups(deadLetters: readonly DeadLetter[]): DeadLetter[][] {
  const groups: DeadLetter[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const deadLetter of deadLetters) {
    const size = (deadLetter.record.key?.length ?? 0) + (deadLetter.record.value?.length ?? 0) + 1_024
    if (bytes + size > SEND_BYTES_MAX) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)?.push(deadLetter)
    bytes += size
  }
  return groups
}

function toRecord({ record, reason, detail }: DeadLetter, topic: string, kept: Kept): ProducerRecord {
  return {
    partition: 0,
    key: kept.keyAndHeaders ? record.key : null,
    value: kept.value ? record.value : null,
    headers: {
      ...(kept.keyAndHeaders ? record.headers : {}),
      dlq_reason: reason,
      dlq_detail: detail,
      dlq_topic: topic,
      dlq_partition: String(record.partition),
      dlq_offset: String(record.offset),
      ...(kept.value ? {} : { dlq_truncated: 'true' }),
    },
  }
}
