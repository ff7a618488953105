import type { RawRecord } from '@ariftly/events'
import type { KafkaClient } from './client.ts'
import { Fault } from '@ariftly/fault'
import { kafkaFault } from './kafka-fault.ts'
import { createProducer, type ProducerRecord } from './producer.ts'

/** A record that breaks the contract, and why. */
export interface DeadLetter {
  readonly record: RawRecord
  /** A stable code. */
  readonly reason: string
  readonly detail: string
}

export interface DeadLetterWriter {
  /**
   * Writes the letters with acks=all and resolves when all are acknowledged; rejects with fault `kafka_unavailable`
   * otherwise (then some may be written). A record that is too large even there goes without its value and with the header
   * `dlq_truncated`.
   */
  write(letters: readonly DeadLetter[]): Promise<void>
  close(): Promise<void>
}

/** Letters of one produce request, bytes of keys and values; one letter alone may be above. */
const SEND_BYTES_MAX = 512 * 1024

export function createDeadLetterWriter(
  client: KafkaClient,
  o: { readonly topic: string; readonly dlqTopic: string },
): DeadLetterWriter {
  const producer = createProducer(client, { topic: o.dlqTopic })

  async function write(letters: readonly DeadLetter[]): Promise<void> {
    for (const group of inGroups(letters)) await writeGroup(group)
  }

  async function writeGroup(letters: readonly DeadLetter[]): Promise<void> {
    const outcome = await send(letters.map((letter) => toRecord(letter, o.topic)))
    if (outcome === 'written') return
    if (outcome !== 'MESSAGE_TOO_LARGE') throw unwritten(outcome)
    if (letters.length > 1) {
      for (const letter of letters) await writeGroup([letter])
      return
    }
    await writeTruncated(letters)
  }

  async function writeTruncated(letters: readonly DeadLetter[]): Promise<void> {
    const withoutValue = await send(letters.map((letter) => truncate(toRecord(letter, o.topic))))
    if (withoutValue === 'written') return
    if (withoutValue !== 'MESSAGE_TOO_LARGE') throw unwritten(withoutValue)
    // A record whose key and headers alone are too large: where it stood and why is all that goes.
    const bare = letters.map(({ record: { partition, offset, timestampMs }, ...why }) => {
      return { ...why, record: { partition, offset, timestampMs, key: null, value: null, headers: {} } }
    })
    const outcome = await send(bare.map((letter) => truncate(toRecord(letter, o.topic))))
    if (outcome !== 'written') throw unwritten(outcome)
  }

  async function send(records: readonly ProducerRecord[]): Promise<string> {
    const { partitions } = await producer.send(records)
    const outcome = partitions.get(0)
    if (outcome === undefined) return 'no outcome'
    return outcome.type === 'written' ? 'written' : outcome.code
  }

  return { write, close: () => producer.close() }
}

function inGroups(letters: readonly DeadLetter[]): DeadLetter[][] {
  const groups: DeadLetter[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const letter of letters) {
    const size = (letter.record.key?.length ?? 0) + (letter.record.value?.length ?? 0) + 1_024
    if (bytes + size > SEND_BYTES_MAX) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)?.push(letter)
    bytes += size
  }
  return groups
}

function toRecord({ record, reason, detail }: DeadLetter, topic: string): ProducerRecord {
  return {
    partition: 0,
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      dlq_reason: reason,
      dlq_detail: detail,
      dlq_topic: topic,
      dlq_partition: String(record.partition),
      dlq_offset: String(record.offset),
    },
  }
}

function unwritten(code: string): Fault {
  return kafkaFault('kafka_unavailable', `Dead letters could not be written: ${code}`)
}

function truncate(record: ProducerRecord): ProducerRecord {
  return { ...record, value: null, headers: { ...record.headers, dlq_truncated: 'true' } }
}
