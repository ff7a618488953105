import { followEpochs } from '@ariftly/log-epochs'
import type { Metrics } from '@ariftly/runtime'
import { startEpochReader, type EpochReader, type EpochReaderOptions } from './epoch-reader.ts'

/** The reader of the current epoch of the log. */
export interface EpochFollower {
  /** Undefined until the log could be read for the first time, between two epochs, and while the log is another one. */
  readonly epochReader: EpochReader | undefined
  /** Why there is none, in a few words. */
  readonly trouble: string | undefined
  /** Whether it is that the log is not the one of the current epoch. */
  readonly isOtherLog: boolean
  close(): Promise<void>
}

/**
 * Reads the log, and starts over when an operator has opened another epoch, or when the log was another one for a while:
 * streams are ended and reconnect. Those with ids of an older epoch get `stream.reset`.
 */
export function readEpochs(
  o: EpochReaderOptions & { readonly metrics: Metrics; readonly onEnded: () => void },
): EpochFollower {
  const follower = followEpochs({
    kafka: o.kafka,
    pool: o.watchPool,
    topic: o.config.KAFKA_TOPIC,
    partitions: o.config.KAFKA_PARTITIONS,
    log: o.log,
    metrics: o.metrics,
    metricPrefix: 'ariftly_stream_gateway',
    async start(epoch) {
      const epochReader = await startEpochReader(o, epoch)
      return {
        epochReader,
        stopped: epochReader.reader.stopped,
        async close() {
          o.onEnded()
          await epochReader.close()
        },
      }
    },
  })

  return {
    get epochReader() {
      return follower.session?.epochReader
    },
    get trouble() {
      return follower.trouble
    },
    get isOtherLog() {
      return follower.isOtherLog
    },
    close: () => follower.close(),
  }
}
