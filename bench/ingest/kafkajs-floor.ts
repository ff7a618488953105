import { Kafka, logLevel, Partitioners, type Message } from 'kafkajs'
import { eventRecord } from './workload.ts'
import { serveMessages } from './worker.ts'

/** Sends records through bare kafkajs for `ms`: `inFlight` concurrent sends of `batch` records each. */
export interface FloorOrder {
  readonly broker: string
  readonly topic: string
  readonly tenant: string
  readonly batch: number
  readonly inFlight: number
  readonly ms: number
}

if (process.send !== undefined) serveMessages((order) => runFloor(order as FloorOrder))

async function runFloor({ broker, topic, tenant, batch, inFlight, ms }: FloorOrder): Promise<{ perS: number }> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, allowAutoTopicCreation: false })
  await producer.connect()
  // Made beforehand: only sending is measured.
  const messages: Message[] = Array.from({ length: batch }, (_, index) => eventRecord(index, tenant))
  let records = 0
  const startedMs = performance.now()

  async function sendAll(): Promise<void> {
    while (performance.now() < startedMs + ms) {
      await producer.send({ topic, acks: -1, messages })
      records += batch
    }
  }

  await Promise.all(Array.from({ length: inFlight }, sendAll))
  const perS = (records / (performance.now() - startedMs)) * 1000
  await producer.disconnect()
  return { perS }
}
