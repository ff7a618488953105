import type { StreamedEvent, StreamReset } from '@ariftly/sdk'

/** Rows that are kept; older ones leave the window, and are counted. */
export const ROWS_MAX = 5_000
/** The window is cut when it is so much longer, so that a cut is rare. */
const ROWS_SLACK = 1_000
/** Characters of the payload that a row shows. */
const PREVIEW_CHARACTERS = 240
/** Seconds in the chart. */
export const RATE_SECONDS = 60

/** A row of the live view. */
export type LiveRow =
  | {
      readonly kind: 'event'
      readonly id: string
      readonly type: string
      readonly taskId: string | null
      readonly sessionId: string | null
      readonly createdAt: string
      readonly preview: string
    }
  | { readonly kind: 'reset'; readonly id: string; readonly reason: string }

/** How many events arrived, by type; another object only when a second is over, so that it is not drawn with every row. */
export interface LiveChart {
  /** Events of each of the last 60 whole seconds, oldest first. */
  readonly rates: readonly number[]
  /** Events by type since the page was opened, most first. */
  readonly byType: readonly (readonly [string, number])[]
}

/** What the page shows; another object after each change. */
export interface LiveView {
  /** Oldest first. */
  readonly rows: readonly LiveRow[]
  readonly isPaused: boolean
  /** Rows that arrived after the shown ones. */
  readonly cameWhilePaused: number
  /** Rows that arrived since the pause began and have left the window again. */
  readonly missedWhilePaused: number
  readonly received: number
  /** Rows that have left the window. */
  readonly dropped: number
  readonly chart: LiveChart
}

/** Holds the newest rows of a stream. While it is paused the view does not change, and new rows are counted. */
export class LiveWindow {
  #rows: LiveRow[] = []
  #received = 0
  #resets = 0
  /** The rows of the last view: what a person sees when they pause. */
  #shown: { readonly rows: readonly LiveRow[]; readonly atReceived: number } = { rows: [], atReceived: 0 }
  #isPaused = false
  readonly #seconds = new Map<number, number>()
  readonly #types = new Map<string, number>()
  #chart: { readonly second: number; readonly chart: LiveChart } | undefined

  /** @param nowMs of any monotonic clock. */
  add(item: StreamedEvent | StreamReset, nowMs: number): void {
    this.#received += 1
    if (isReset(item)) {
      this.#resets += 1
      this.#rows.push({ kind: 'reset', id: `reset-${this.#resets}`, reason: item.reason })
    } else {
      this.#rows.push(rowOf(item))
      const second = Math.floor(nowMs / 1_000)
      this.#seconds.set(second, (this.#seconds.get(second) ?? 0) + 1)
      this.#types.set(item.type, (this.#types.get(item.type) ?? 0) + 1)
    }
    if (this.#rows.length >= ROWS_MAX + ROWS_SLACK) this.#rows = this.#rows.slice(-ROWS_MAX)
  }

  /** Keeps the rows of the last view. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
  }

  view(nowMs: number): LiveView {
    if (!this.#isPaused && this.#shown.atReceived !== this.#received) {
      this.#shown = { rows: this.#rows.slice(-ROWS_MAX), atReceived: this.#received }
    }
    const { rows, atReceived } = this.#shown
    const came = this.#received - atReceived
    return {
      rows,
      isPaused: this.#isPaused,
      cameWhilePaused: came,
      missedWhilePaused: Math.max(0, came - ROWS_MAX),
      received: this.#received,
      dropped: Math.max(0, this.#received - ROWS_MAX),
      chart: this.#chartAt(Math.floor(nowMs / 1_000)),
    }
  }

  #chartAt(second: number): LiveChart {
    if (this.#chart?.second === second) return this.#chart.chart
    for (const old of this.#seconds.keys()) if (old < second - RATE_SECONDS) this.#seconds.delete(old)
    const chart = {
      rates: Array.from({ length: RATE_SECONDS }, (_, at) => this.#seconds.get(second - RATE_SECONDS + at) ?? 0),
      byType: [...this.#types].toSorted((a, b) => b[1] - a[1]),
    }
    this.#chart = { second, chart }
    return chart
  }
}

function isReset(item: StreamedEvent | StreamReset): item is StreamReset {
  return item.type === 'stream.reset'
}

function rowOf(event: StreamedEvent): LiveRow {
  return {
    kind: 'event',
    id: event.id,
    type: event.type,
    taskId: event.task_id,
    sessionId: event.session_id,
    createdAt: event.created_at,
    preview: copyOf(event.rawData.slice(0, PREVIEW_CHARACTERS)),
  }
}

/** The same text in memory of its own: a part of a long text keeps the whole of it, up to 256 KiB a row. */
function copyOf(text: string): string {
  return ` ${text}`.slice(1)
}
