import { EventRefusedError, type Ariftly, type NewEvent } from '@ariftly/sdk'
import { Signal } from '../state/signal.ts'
import { Watermark, type WatermarkEntry } from '../state/watermark.ts'
import { parseLine } from './parse-line.ts'
import type { InputLine } from './read-lines.ts'

/** A line that was refused, by the server or before. */
export interface RefusedLine extends InputLine {
  readonly code: string
  readonly pointer: string
  readonly message: string
}

/** How far lines were sent: every line up to `line` is accepted or refused; `count` of them were not empty. */
export interface SentMark {
  readonly line: number
  readonly count: number
}

/** How lines are sent. */
export interface LineSenderSettings {
  readonly client: Pick<Ariftly, 'events'>
  /** The id of a line that has none; undefined leaves it to the SDK. `atMs` is its `created_at`. */
  readonly idOf: ((line: number, atMs: number | undefined) => string) | undefined
  /** Called when more lines are settled. */
  readonly onMoved: (mark: SentMark) => void
}

/** Lines that are held at a time, under way or refused and not taken out; beyond it `send` waits. */
const WINDOW = { lines: 10_000, chars: 16 * 1024 * 1024 } as const

/** Sends lines, and notes how far all are settled. */
export class LineSender {
  readonly #settings: LineSenderSettings
  readonly #window = new Watermark<SentMark>()
  readonly #changed = new Signal()
  readonly #refused = new Map<number, RefusedLine>()
  readonly #counts = { accepted: 0, refused: 0, inFlight: 0 }
  #chars = 0
  #count = 0
  #failure: { readonly error: unknown } | undefined

  constructor(settings: LineSenderSettings) {
    this.#settings = settings
  }

  get counts(): { readonly accepted: number; readonly refused: number; readonly inFlight: number } {
    return this.#counts
  }

  /** Resolves when the line is taken. Rejects with what ended the sending: a refused key, a closed client. */
  async send(line: InputLine): Promise<void> {
    while (this.#isFull && this.#failure === undefined) await this.#changed.next()
    if (this.#failure !== undefined) throw this.#failure.error
    const entry = this.#window.add({ line: line.number, count: (this.#count += 1) })
    const parsed = parseLine(line.text)
    if (parsed.type === 'refused') {
      const { code, pointer, message } = parsed
      this.#refuse(entry, { ...line, code, pointer, message })
      return
    }
    const { idOf } = this.#settings
    const { event, atMs, hasOwnId } = parsed
    const id = hasOwnId ? undefined : idOf?.(line.number, atMs)
    void this.#post(entry, line, id === undefined ? event : { ...event, id })
  }

  /** Resolves when nothing is under way; rejects as `send` does. */
  async drained(): Promise<void> {
    while (this.#counts.inFlight > 0 && this.#failure === undefined) await this.#changed.next()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Takes the refused lines up to a number out, in order. */
  takeRefused(line: number): readonly RefusedLine[] {
    const taken = [...this.#refused.values()].filter(({ number }) => number <= line)
    for (const { number, text } of taken) {
      this.#refused.delete(number)
      this.#chars -= text.length
    }
    this.#changed.wake()
    return taken.toSorted((a, b) => a.number - b.number)
  }

  get #isFull(): boolean {
    return this.#counts.inFlight + this.#refused.size >= WINDOW.lines || this.#chars >= WINDOW.chars
  }

  async #post(entry: WatermarkEntry<SentMark>, line: InputLine, event: NewEvent): Promise<void> {
    this.#counts.inFlight += 1
    this.#chars += line.text.length
    try {
      await this.#settings.client.events.send(event)
      this.#counts.accepted += 1
      this.#settle(entry)
    } catch (error) {
      const [refusal] = error instanceof EventRefusedError ? error.refusals : []
      if (refusal === undefined) this.#failure ??= { error }
      else this.#refuse(entry, { ...line, code: refusal.code, pointer: refusal.pointer, message: refusal.message })
    }
    this.#counts.inFlight -= 1
    this.#chars -= line.text.length
    this.#changed.wake()
  }

  #refuse(entry: WatermarkEntry<SentMark>, refused: RefusedLine): void {
    this.#counts.refused += 1
    this.#refused.set(refused.number, refused)
    this.#chars += refused.text.length
    this.#settle(entry)
  }

  #settle(entry: WatermarkEntry<SentMark>): void {
    const { position } = this.#window.settle(entry) ? this.#window : { position: undefined }
    if (position !== undefined) this.#settings.onMoved(position)
  }
}
