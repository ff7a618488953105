import type { Ariftly, StreamedEvent, StreamState } from '@ariftly/sdk'
import type { Context } from '../command/context.ts'
import { CliError } from '../errors/cli-error.ts'
import { EXIT, type ExitCode } from '../errors/exit-code.ts'
import { expandTypes, type TypeName } from '../stream/expand-types.ts'
import { untilAnswered } from '../stream/until-answered.ts'
import { show, type Shown } from '../terminal/show.ts'
import { createStatusLine } from '../terminal/status-line.ts'

/** Options of `events tail`. */
export interface TailOptions {
  readonly task: string | undefined
  readonly session: string | undefined
  readonly agent: string | undefined
  /** Types and groups. */
  readonly types: readonly string[]
  /** ISO 8601. */
  readonly after: string | undefined
  /** Types and groups; the first event of one of them is the last one that is printed. */
  readonly until: readonly string[]
  readonly timeoutMs: number | undefined
  /** Otherwise it ends when it has caught up. */
  readonly isFollowing: boolean
  readonly acceptsGap: boolean
}

/** Prints events until one of its ends. Throws what the stream throws, and the reason of the signal. */
export async function runTail(context: Context, o: TailOptions): Promise<ExitCode> {
  const client = await context.client()
  const line = createStatusLine(context.err)
  const timeout = o.timeoutMs === undefined ? undefined : AbortSignal.timeout(o.timeoutMs)
  const signal = timeout === undefined ? context.signal : AbortSignal.any([context.signal, timeout])
  const printer = new EventPrinter(context)
  const says = sayWaits(context, line)
  try {
    const onWait = (error: Error, retryAtMs: number) => says({ type: 'waiting', error, retryAt: new Date(retryAtMs) })
    const { types, until } = await untilAnswered(async () => await readTypes(client, o, signal), { signal, onWait })
    const { task: task_id, session: session_id, agent, after } = o
    const stream = client.events.stream({ task_id, session_id, agent, types, after, signal, onState })
    function onState(state: StreamState): void {
      says(state)
      if (state.type === 'live' && !o.isFollowing) stream.close()
    }
    for await (const item of stream) {
      if (item.type === 'stream.reset') {
        const text = `Events may be missing here (${item.reason}): the stream continues at ${item.earliest ?? 'now'}.`
        if (!o.acceptsGap) throw new CliError('stream_reset', text, { remedy: 'Add --accept-gap to continue there.' })
        await context.note(show`${text}`)
        continue
      }
      await printer.print(item)
      if (until?.has(item.type) === true) return await finish(EXIT.done)
    }
    context.signal.throwIfAborted()
    return await finish(timeout?.aborted === true && o.until.length > 0 ? EXIT.failed : EXIT.done)
  } catch (error) {
    if (timeout?.aborted !== true || context.signal.aborted) throw error
    return await finish(o.until.length === 0 ? EXIT.done : EXIT.failed)
  } finally {
    line.close()
    await printer.flush()
  }

  async function finish(code: ExitCode): Promise<ExitCode> {
    line.close()
    await printer.flush()
    if (code === EXIT.failed) await context.note(show`No event of ${o.until.join(', ')} arrived in time.`)
    return code
  }
}

interface Types {
  readonly types: readonly TypeName[] | undefined
  /** Undefined where nothing but a timeout ends it. */
  readonly until: ReadonlySet<string> | undefined
}

/** The catalogue is asked for where there are patterns alone. */
async function readTypes(client: Ariftly, o: TailOptions, signal: AbortSignal): Promise<Types> {
  if (o.types.length === 0 && o.until.length === 0) return { types: undefined, until: undefined }
  const catalogue = (await client.eventTypes.list({ signal, maxRetries: 0 }).toArray({ limit: 1000 })).map(
    ({ type }) => type,
  )
  const types = expandTypes(o.types, catalogue)
  if (o.until.length === 0) return { types, until: undefined }
  return { types, until: new Set(expandTypes(o.until, catalogue) ?? catalogue) }
}

/** Says when the stream waits, and when it is back: on a terminal as a status, elsewhere as lines. */
function sayWaits(context: Context, line: ReturnType<typeof createStatusLine>): (state: StreamState) => void {
  let isWaiting = false
  return function say(state) {
    if (state.type === 'waiting') {
      const text = show`waiting: ${state.error?.message ?? 'the stream ended'}`
      line.show(text)
      if (!isWaiting && !context.err.isTty) void context.note(text)
      isWaiting = true
    } else if (state.type === 'catching_up' || state.type === 'live') {
      if (isWaiting) line.close()
      isWaiting = false
    }
  }
}

/** Prints events; events of one tick of the event loop are one write. What comes before it is drained is the next write. */
class EventPrinter {
  readonly #context: Context
  #lines: string[] = []
  #writing: Promise<void> | undefined

  constructor(context: Context) {
    this.#context = context
  }

  /** Resolves at once while little is unwritten. */
  async print(event: StreamedEvent): Promise<void> {
    const { json, out } = this.#context
    if (!json || out.isTty) {
      await (json ? out.jsonText(event.rawEvent) : out.line(lineOf(event)))
      return
    }
    this.#lines.push(event.rawEvent)
    this.#writing ??= this.#writeAll()
    if (this.#lines.length >= 500) await this.#writing
  }

  async flush(): Promise<void> {
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#lines.length > 0) {
      const text = this.#lines.join('\n')
      this.#lines = []
      await this.#context.out.jsonText(text)
    }
    this.#writing = undefined
  }
}

function lineOf({ created_at: at, type, task_id, session_id, agent, rawData }: StreamedEvent): Shown {
  const data = rawData.length <= 200 ? rawData : `${rawData.slice(0, 199)}…`
  return show`${at}  ${type}  ${task_id ?? session_id ?? '-'}  ${agent ?? '-'}  ${data}`
}
