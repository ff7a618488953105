import { Kafka, logLevel } from 'kafkajs'
import { serveMessages } from '../ingest/worker.ts'

/** A kafkajs consumer that reads a topic from its start and ignores the records. */
interface ReadOrder {
  readonly broker: string
  readonly topic: string
  readonly records: number
}

/** Records a second from a twentieth of the records, by which its code has been compiled, to all of them. */
export interface ReadRate {
  readonly perS: number
}

serveMessages((order) => read(order as ReadOrder))

async function read({ broker, topic, records }: ReadOrder): Promise<ReadRate> {
  const kafka = new Kafka({ clientId: 'bench-kafkajs', brokers: [broker], logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}` })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let count = 0
  let first: { readonly atMs: number; readonly records: number } | undefined
  const perS = await new Promise<number>((resolve, reject) => {
    void consumer
      .run({
        autoCommit: false,
        async eachBatch({ batch }) {
          count += batch.messages.length
          if (count < records / 20) return
          first ??= { atMs: performance.now(), records: count }
          if (count < records) return
          resolve(((count - first.records) / (performance.now() - first.atMs)) * 1000)
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return { perS }
}
