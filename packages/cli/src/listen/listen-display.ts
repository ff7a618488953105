import type { Context } from '../command/context.ts'
import type { Settled } from '../forward/outcome.ts'
import { show, type Shown } from '../terminal/show.ts'
import { createStatusLine } from '../terminal/status-line.ts'
import { stateText, statusText, timeText, type ListenView } from './status-text.ts'

/** The display of `listen`. */
export interface ListenDisplay {
  /** Draws the status; where there is no terminal, a line when the state has changed. */
  update(view: ListenView): void
  /** Prints what became of an event, on standard output. */
  settled(settled: Settled): Promise<void>
  /** Prints a notice, on standard error. */
  note(text: Shown): Promise<void>
  close(): void
}

/** Shows a `listen` on the outputs of a command. */
export function createListenDisplay(context: Context): ListenDisplay {
  const { err, out, json } = context
  const line = createStatusLine(err)
  let stated = ''

  function update(view: ListenView): void {
    const nowMs = context.now()
    if (err.isTty) {
      line.show(statusText(view, nowMs))
      return
    }
    // Times and counts change all the time.
    const kind = `${view.down === undefined} ${view.stream.type} ${view.isBehind}`
    if (kind === stated) return
    stated = kind
    void context.note(stateText(view, nowMs))
  }
  async function settled(each: Settled): Promise<void> {
    await line.above(async () => await (json ? out.json(toJson(each)) : out.line(lineOf(each, context.now()))))
  }
  return {
    update,
    settled,
    note: async (text) => await line.above(async () => await context.note(text)),
    close: () => line.close(),
  }

  function lineOf({ event, result, status, reason, attempts, durationMs }: Settled, nowMs: number): Shown {
    const ended = result === 'delivered' ? out.paint.green(String(status ?? '')) : out.paint.red('given up')
    const why = result === 'delivered' ? '' : ` after ${attempts} attempts: ${reason ?? ''}`
    return show`${timeText(nowMs, nowMs)}  ${ended}${why}  ${event.type}  ${event.id}  ${Math.round(durationMs)} ms`
  }
}

/** `cli:ForwardedEvent` of the schemas. */
function toJson({ event, result, status, reason, attempts, durationMs }: Settled): object {
  const { id, type } = event
  const ended = { result, status: status ?? null, reason: reason ?? null, attempts }
  return { object: 'forwarded_event', event_id: id, type, ...ended, duration_ms: Math.round(durationMs) }
}
