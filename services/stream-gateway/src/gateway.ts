import { retryForever, sleep, type Logger } from '@ariftly/runtime'
import { currentEpoch } from '@ariftly/store/projection'
import { startGeneration, type Generation, type GenerationOptions } from './generation.ts'

/** The reading of whatever epoch of the log is current. */
export interface Gateway {
  /** Undefined until the log could be read for the first time, and between two epochs. */
  readonly generation: Generation | undefined
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
export function startGateway(
  o: GenerationOptions & { readonly onEnded: (generation: Generation) => void; readonly log: Logger },
): Gateway {
  const abort = new AbortController()
  let generation: Generation | undefined
  let trouble: string | undefined = 'starting'
  let fail: (error: Error) => void = ignore
  const failed = new Promise<Error>((resolve) => {
    fail = resolve
  })
  const ended = run()

  async function run(): Promise<void> {
    while (!abort.signal.aborted) {
      const started = await retryForever(() => startGeneration(o), {
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
      generation = started
      trouble = undefined
      void watchReader(started)
      await untilOtherEpoch(started)
      generation = undefined
      trouble = 'starting'
      o.onEnded(started)
      await started.close()
    }
  }

  async function watchReader({ reader }: Generation): Promise<void> {
    await reader.stopped
    if (reader.failure !== undefined) fail(reader.failure)
  }

  async function untilOtherEpoch(current: Generation): Promise<void> {
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
    get generation() {
      return generation
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
