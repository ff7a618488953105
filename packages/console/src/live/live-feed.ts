import type { Ariftly, EventStream, StreamFilter, StreamState } from '@ariftly/sdk'
import { LiveWindow, type LiveView } from './live-window.ts'

/** A hidden tab gives up its connection after this: browsers allow six to one host (HTTP/1.1). */
const HIDDEN_CLOSE_MS = 60_000
/** Time hidden after which the person is asked whether to show the missed events. */
const AWAY_ASK_MS = 600_000
/** New rows are shown at this interval at most: drawing costs more than reading, and no person reads faster. */
const DRAW_MS = 250

/** What the page knows of the stream. */
export interface LiveFeedState {
  readonly view: LiveView
  readonly stream: StreamState | { readonly type: 'hidden' } | { readonly type: 'asking' }
  /** What ended the stream for good. */
  readonly error: unknown
}

/**
 * Reads a stream into a {@link LiveWindow}, and reports changes: of rows four times a second at most, of what a person did and of the stream's state in
 * the next frame of the display.
 */
export class LiveFeed {
  readonly #filter: StreamFilter
  readonly #window = new LiveWindow()
  readonly #listeners = new Set<() => void>()
  #client: Ariftly | undefined
  #stream: EventStream | undefined
  /** The position to resume from. */
  #position: string | undefined
  #streamState: LiveFeedState['stream'] = { type: 'connecting' }
  #error: unknown
  #state: LiveFeedState
  #frame: number | undefined
  #drawTimer: ReturnType<typeof setTimeout> | undefined
  #drawnMs = -Infinity
  #hiddenTimer: ReturnType<typeof setTimeout> | undefined
  #hiddenSinceMs: number | undefined

  constructor(filter: StreamFilter) {
    this.#filter = filter
    this.#state = this.#read()
  }

  get state(): LiveFeedState {
    return this.#state
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Opens the stream where it was; returns what closes it. */
  start(client: Ariftly): () => void {
    this.#client = client
    this.#error = undefined
    const onVisibility = () => this.#onVisibility()
    document.addEventListener('visibilitychange', onVisibility)
    // The chart moves on also without new events.
    const clock = setInterval(() => this.#changed(), 1_000)
    this.#open()
    return () => {
      document.removeEventListener('visibilitychange', onVisibility)
      clearInterval(clock)
      clearTimeout(this.#hiddenTimer)
      clearTimeout(this.#drawTimer)
      this.#drawTimer = undefined
      if (this.#frame !== undefined) cancelAnimationFrame(this.#frame)
      this.#frame = undefined
      this.#close()
    }
  }

  /** A property, so that it can be passed on alone. */
  pause = (): void => {
    this.#window.pause()
    this.#changed()
  }

  resume(): void {
    this.#window.resume()
    this.#changed()
  }

  /** Answers the question after a long absence. */
  goOn({ fromNow }: { readonly fromNow: boolean }): void {
    if (fromNow) this.#position = undefined
    this.#open()
  }

  #open(): void {
    if (this.#client === undefined) return
    const stream = this.#client.events.stream({
      ...this.#filter,
      ...(this.#position === undefined ? {} : { from: this.#position }),
      onState: (state) => {
        if (this.#stream !== stream) return
        this.#streamState = state
        this.#changed()
      },
    })
    this.#stream = stream
    void this.#consume(stream)
  }

  async #consume(stream: EventStream): Promise<void> {
    try {
      for await (const item of stream) {
        if (this.#stream !== stream) return
        this.#window.add(item, Date.now())
        this.#rowCame()
      }
    } catch (error) {
      if (this.#stream !== stream) return
      this.#error = error
      this.#changed()
    }
  }

  #close(): void {
    const stream = this.#stream
    this.#stream = undefined
    // A stream that has given no event yet has the position of its last checkpoint.
    this.#position = stream?.position ?? this.#position
    stream?.close()
  }

  #onVisibility(): void {
    clearTimeout(this.#hiddenTimer)
    if (document.hidden) {
      this.#hiddenSinceMs = Date.now()
      this.#hiddenTimer = setTimeout(() => {
        this.#close()
        this.#streamState = { type: 'hidden' }
      }, HIDDEN_CLOSE_MS)
      return
    }
    const awayMs = Date.now() - (this.#hiddenSinceMs ?? Date.now())
    if (this.#stream === undefined && this.#error === undefined) {
      if (awayMs >= AWAY_ASK_MS) this.#streamState = { type: 'asking' }
      else this.#open()
    }
    this.#changed()
  }

  #rowCame(): void {
    if (this.#frame !== undefined) return
    this.#drawTimer ??= setTimeout(() => this.#changed(), this.#drawnMs + DRAW_MS - performance.now())
  }

  #changed(): void {
    this.#frame ??= requestAnimationFrame(() => {
      clearTimeout(this.#drawTimer)
      this.#drawTimer = undefined
      this.#frame = undefined
      this.#drawnMs = performance.now()
      this.#state = this.#read()
      for (const listener of this.#listeners) listener()
    })
  }

  #read(): LiveFeedState {
    return { view: this.#window.view(Date.now()), stream: this.#streamState, error: this.#error }
  }
}
