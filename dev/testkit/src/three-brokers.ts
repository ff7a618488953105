import { startExtraBroker, type ExtraBroker } from './extra-broker.ts'
import { startOwnStack } from './own-stack.ts'
import { withClient } from './topics.ts'

/** A stack of a test's own whose Kafka has three brokers. */
export interface ThreeBrokers {
  readonly stack: Awaited<ReturnType<typeof startOwnStack>>
  /** `host:port` of all, comma-separated. */
  readonly brokers: string
  /** Brokers that may be killed and frozen; the first broker is the controller. */
  readonly others: readonly [ExtraBroker, ExtraBroker]
  close(): Promise<void>
}

/**
 * Starts it. The offsets of groups are kept by all three brokers, as in production: made here, before the first group, as
 * the stack's own setting is one copy.
 */
export async function startThreeBrokers(): Promise<ThreeBrokers> {
  const stack = await startOwnStack()
  try {
    const others = await Promise.all([startExtraBroker(stack, 2), startExtraBroker(stack, 3)])
    const brokers = [stack.addresses.kafka, ...others.map(({ address }) => address)].join()
    const offsets = {
      topic: '__consumer_offsets',
      numPartitions: 4,
      replicationFactor: 3,
      configEntries: [
        { name: 'cleanup.policy', value: 'compact' },
        { name: 'min.insync.replicas', value: '1' },
      ],
    }
    await withClient(brokers, (client) =>
      client.withAdmin((admin) => admin.createTopics({ topics: [offsets], waitForLeaders: false })),
    )
    return {
      stack,
      brokers,
      others,
      async close() {
        await Promise.all(others.map((broker) => broker.kill()))
        await stack.close()
      },
    }
  } catch (error) {
    await stack.close()
    throw error
  }
}
