import { retryForever, sleep, type Logger } from '@ariftly/runtime'
import { currentEpoch } from '@ariftly/store/projection'
import { startEpochReader, type EpochReader, type EpochReaderOptions } from './epoch-reader.ts'

/** The reading of whatever epoch of the log is current. */
export interface EpochFollower {
  /** Undefined until the log could be read for the first time, and between two epochs. */
  readonly epochReader: EpochReader | undefined
  /** Why there is none, in a few words. */
  readonly trouble: string | undefined
  /** Resolves when this process can never read the log again: it is another one, or has another number of partitions. */
  readonly failed: Promise<Error>
  close(): Promise<void>
}

const LOOK_EVERY_MS = 2000
/** Faults after which only an operator can help. */
const PERMANENT: ReadonlySet<unknown> = new Set(['partition_count_changed', 'log_identity_changed'])

/**
 * Reads the log, and starts anew when an operator has opened another epoch: its streams are ended, come back with ids of
 * the old epoch and are told so (`stream.reset`).
 */
export function followEpochs(
  o: EpochReaderOptions & { readonly onEnded: (epochReader: EpochReader) => void; readonly log: Logger },
): EpochFollower {
  const abort = new AbortController()
  let epochReader: EpochReader | undefined
  let trouble: string | undefined = 'starting'
  let fail: (error: Error) => void = ignore
  const failed = new Promise<Error>((resolve) => {
    fail = resolve
  })
  const ended = run()

  async function run(): Promise<void> {
    while (!abort.signal.aborted) {
      const started = await retryForever(() => startEpochReader(o), {
        signal: abort.signal,
        maxMs: 2000,
        onError(error) {
          const message = error instanceof Error ? error.message : String(error)
          if (message !== trouble) o.log.warn({ err: error }, 'the log cannot be read yet')
          trouble = message
          if (isPermanent(error)) fail(error)
        },
      })
      if (started === undefined) return
      epochReader = started
      trouble = undefined
      void watchReader(started)
      await untilOtherEpoch(started)
      epochReader = undefined
      trouble = 'starting'
      o.onEnded(started)
      await started.close()
    }
  }

  async function watchReader({ reader }: EpochReader): Promise<void> {
    await reader.stopped
    if (reader.failure !== undefined) fail(reader.failure)
  }

  async function untilOtherEpoch(current: EpochReader): Promise<void> {
    while (!abort.signal.aborted) {
      await sleep(LOOK_EVERY_MS, abort.signal)
      try {
        const epoch = await currentEpoch(o.watchPool, o.config.KAFKA_TOPIC)
        if (epoch !== undefined && epoch.epoch !== current.epoch.epoch) return
      } catch {
        // The projection watch says that Postgres is away.
      }
    }
  }

  return {
    get epochReader() {
      return epochReader
    },
    get trouble() {
      return trouble
    },
    failed,
    async close() {
      abort.abort()
      await ended
    },
  }
}

function isPermanent(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && PERMANENT.has(error.code)
}

function ignore(): void {}
