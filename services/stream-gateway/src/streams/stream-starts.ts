import type { Logger } from '@ariftly/runtime'
import type { EpochReader } from '../epochs/epoch-reader.ts'
import { openingFrame, resetFrame, type ResetReason } from '../frames/control-frames.ts'
import type { Subscriber } from '../hub/subscriber.ts'
import type { OffsetVector } from '../log/offset-vector.ts'
import { positionOfNow, resumeAt } from '../log/start-position.ts'
import { StartLookups } from './start-lookups.ts'
import type { StreamRegistry } from './registry.ts'

/** The requested start of a stream. */
export type AskedStart =
  | { readonly kind: 'now' }
  | {
      readonly kind: 'id'
      readonly id: string
      readonly place: { readonly epoch: number; readonly position: OffsetVector }
    }
  /** `text` is the requested time, verbatim; `atMs` is not in the future. */
  | { readonly kind: 'time'; readonly text: string; readonly atMs: number }

interface StreamStartsOptions {
  readonly registry: StreamRegistry
  /** How long history is kept, milliseconds. */
  readonly historyMs: () => number
  readonly log: Logger
  /** Numbers from 0 to 1, for the pause before clients reconnect. */
  readonly random: () => number
}

const RETRY_MS = { min: 1000, max: 3000 } as const

/** Starts streams at their requested position, or resets them when that is not possible. */
export class StreamStarts {
  readonly #o: StreamStartsOptions
  readonly #lookups: StartLookups

  constructor(o: StreamStartsOptions) {
    this.#o = o
    this.#lookups = new StartLookups({ log: o.log })
  }

  /** Sends a stream its first frame and hands it to the hub, now or once its position was looked up. */
  begin(subscriber: Subscriber, epochReader: EpochReader, start: AskedStart): void {
    const { hub } = epochReader
    const retryMs = Math.round(RETRY_MS.min + this.#o.random() * (RETRY_MS.max - RETRY_MS.min))
    if (start.kind === 'now') {
      const position = positionOfNow(hub.ring.position, epochReader.endAtStart)
      hub.begin(subscriber, position, openingFrame(retryMs, epochReader.idOf(position)))
      return
    }
    if (start.kind === 'id') {
      const resumed = resumeAt({ epoch: hub.epoch, floor: epochReader.floor(), asked: start.place })
      if (resumed.kind === 'at') {
        const { position } = resumed
        hub.begin(subscriber, position, openingFrame(retryMs, epochReader.idOf(position)))
        return
      }
      subscriber.sink.write(openingFrame(retryMs, undefined))
      void this.reset(subscriber, epochReader, resumed.reason, resumed.position)
      return
    }
    subscriber.sink.write(openingFrame(retryMs, undefined))
    void this.#beginAtTime(subscriber, epochReader, start.atMs)
  }

  /** Sends `stream.reset` and starts the stream at `position`. */
  async reset(
    subscriber: Subscriber,
    epochReader: EpochReader,
    reason: ResetReason,
    position: OffsetVector,
  ): Promise<void> {
    const earliest = await this.#find(subscriber, async () => ({ ms: await epochReader.earliestMs() }))
    if (earliest === undefined) return
    this.#o.registry.countEnd('reset')
    const { requested } = subscriber
    const id = epochReader.idOf(position)
    epochReader.hub.begin(subscriber, position, resetFrame({ reason, requested, earliestMs: earliest.ms, id }))
  }

  /** The stream is already open and waits for its start position, also while Postgres is unavailable. */
  async #beginAtTime(subscriber: Subscriber, epochReader: EpochReader, atMs: number): Promise<void> {
    const oldestMs = Date.now() - this.#o.historyMs()
    if (atMs < oldestMs) {
      await this.reset(subscriber, epochReader, 'history_expired', epochReader.floor())
      return
    }
    const { epoch, openedAtMs } = epochReader.epoch
    if (epoch > 1 && atMs < openedAtMs) {
      // What was appended since then is in another log too, whose positions are not this one's.
      await this.reset(subscriber, epochReader, 'log_changed', epochReader.floor())
      return
    }
    const position = await this.#find(subscriber, () => epochReader.positionAt(atMs))
    if (position === undefined) return
    epochReader.hub.begin(subscriber, position, openingFrame(RETRY_MS.min, epochReader.idOf(position)))
  }

  /** Retries until it succeeds or the client disconnects. */
  #find<T>(subscriber: Subscriber, ask: () => Promise<T>): Promise<T | undefined> {
    const isOpen = () => this.#o.registry.epochOf(subscriber) !== undefined
    return this.#lookups.find(subscriber.filter.tenant, isOpen, ask)
  }
}
