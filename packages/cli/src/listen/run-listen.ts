import type { EventStream, StreamedEvent, StreamItem } from '@ariftly/sdk'
import { CliError } from '../errors/cli-error.ts'
import type { Context } from '../command/context.ts'
import { SETTLED_BEHIND_MAX, type Forwarder } from '../forward/forwarder.ts'
import type { ForwardedEvent } from '../forward/outcome.ts'
import { StateSaver } from '../state/state-saver.ts'
import { writeState } from '../state/state-file.ts'
import { show } from '../terminal/show.ts'
import { createForwarding } from './create-forwarding.ts'
import { createListenDisplay, type ListenDisplay } from './listen-display.ts'
import { compileWants } from './listen-filter.ts'
import type { ListenOptions } from './listen-options.ts'
import { openSession, type ListenSession } from './open-session.ts'
import { ReadProgress } from './read-progress.ts'

/** How often a position is saved. */
const SAVE_EVERY_MS = 200
/** How often the status is updated. */
const TICK_MS = 100
/** Two ticks are further apart than that only when this process, or the machine, was stopped. */
const STOPPED_MS = 3000
/** Time for attempts under way at the end. */
const END_MS = 3000

/**
 * Forwards the events of a stream until it is cancelled. The position that is saved is the last one before which every event had a 2xx, or was given
 * up and is on the list of failed events. Throws a CliError: what `openSession` throws, `stream_reset` where events may be missing, and
 * `state_not_writable`.
 */
export async function runListen(context: Context, o: ListenOptions): Promise<void> {
  const client = await context.client()
  const display = createListenDisplay(context)
  const releases: (() => void)[] = [() => display.close()]
  try {
    const onWait = (error: Error, retryAtMs: number) => {
      const stream = { type: 'waiting', error, retryAt: new Date(retryAtMs) } as const
      const counts = { delivered: 0, failed: 0, inFlight: 0 }
      display.update({ stream, isBehind: false, readAt: undefined, down: undefined, counts })
    }
    const session = await openSession(context, client, o, { onWait, releases })
    const { state, types } = session
    const { task_id, session_id, agent } = state.filter
    await introduce(display, session, o)
    const stream = client.events.stream({
      task_id: task_id ?? undefined,
      session_id: session_id ?? undefined,
      agent: agent ?? undefined,
      types,
      from: state.position ?? undefined,
      after: state.after ?? undefined,
      signal: context.signal,
    })
    await forwardAll({ context, o, session, stream, display })
  } finally {
    for (const release of releases.toReversed()) release()
  }
}

interface Listening {
  readonly context: Context
  readonly o: ListenOptions
  readonly session: ListenSession
  readonly stream: EventStream
  readonly display: ListenDisplay
}

async function forwardAll({ context, o, session, stream, display }: Listening): Promise<void> {
  const { state } = session
  const earlier = new Set(state.settled)
  const save = async (position: string | null) =>
    await writeState(o.statePath, { ...state, position, settled: settledOf(earlier, forwarder) })
  const saver = new StateSaver(save, SAVE_EVERY_MS, (error) => {
    forwarder.fail(error)
    stream.close()
  })
  let noted = state.position
  let passed: string | undefined
  function note(position: string | undefined): void {
    if (position === undefined || position === noted) return
    noted = position
    saver.note(position)
  }
  const forwarding = createForwarding(context, o, session, async (settled) => {
    // A stream without events may have been noted beyond the last one.
    if (forwarder.position !== passed) noted = forwarder.position ?? noted
    passed = forwarder.position
    saver.note(noted)
    await display.settled(settled)
  })
  const { forwarder } = forwarding
  const progress = new ReadProgress()
  const tick = createTick({ stream, forwarder, progress, display, context, note })
  const timer = setInterval(tick, TICK_MS)
  context.signal.addEventListener('abort', () => void forwarder.stop(END_MS), { once: true })
  try {
    await readStream({ context, o, session, stream, display }, { forwarder, progress, note, earlier })
    await forwarder.drained()
  } finally {
    await forwarder.stop(END_MS)
    clearInterval(timer)
    forwarding.close()
    await saver.flush()
  }
  const { delivered, failed } = forwarder.counts
  await display.note(show`${delivered} delivered, ${failed} failed. The same command continues from here.`)
  context.signal.throwIfAborted()
}

interface Earlier {
  /** Ids of events that an earlier run has settled, and that are not read again yet. */
  readonly earlier: Set<string>
}

/** Reads until the stream ends. Events that are not taken are received again the next time. */
async function readStream(
  { o, session, stream, display }: Listening,
  { forwarder, progress, note, earlier }: Pick<Tick, 'forwarder' | 'progress' | 'note'> & Earlier,
): Promise<void> {
  const wants = compileWants(session.state.filter)
  let isFirst = true
  progress.ask(performance.now())
  for await (const item of stream) {
    // It is still the one before this item: the next run continues there, also if nothing is settled in this one.
    if (isFirst) note(stream.position)
    isFirst = false
    if (item.type === 'stream.reset') {
      await takeReset(item, o, display)
      forwarder.pass('', item.position)
    } else if (wants(item) && !earlier.has(item.id)) {
      progress.read(item.created_at, forwarder.isFull)
      if (!(await forwarder.add(toForwarded(item), item.position))) return
    } else {
      progress.read(item.created_at, false)
      forwarder.pass(item.id, item.position)
      earlier.delete(item.id)
    }
    progress.ask(performance.now())
  }
}

/** Those of earlier runs are the first to be left out: a stream with a gap may never have them. */
function settledOf(earlier: ReadonlySet<string>, { settledBehind }: Forwarder): readonly string[] {
  return [...earlier, ...settledBehind].slice(-SETTLED_BEHIND_MAX)
}

function toForwarded({ id, type, task_id, session_id, rawEvent }: StreamedEvent): ForwardedEvent {
  return { id, type, key: task_id ?? `\0${session_id ?? ''}`, body: Buffer.from(rawEvent) }
}

async function takeReset(
  { reason, requested, earliest }: Extract<StreamItem, { readonly type: 'stream.reset' }>,
  { acceptsGap }: ListenOptions,
  display: ListenDisplay,
): Promise<void> {
  const text = `The stream cannot continue from ${requested ?? 'its position'} (${reason}); it has events from ${earliest ?? 'now'} on.`
  if (!acceptsGap) {
    throw new CliError('stream_reset', `${text} Events before that may be missing, and others may be repeated.`, {
      remedy: 'See what may be missing with ariftly events list, then run the command with --accept-gap.',
    })
  }
  await display.note(show`${text} This gap is accepted.`)
}

interface Tick extends Pick<Listening, 'stream' | 'display' | 'context'> {
  readonly forwarder: Forwarder
  readonly progress: ReadProgress
  readonly note: (position: string | undefined) => void
}

/** The work of each tick: the status, and the position of a stream without events in flight. */
function createTick({ stream, forwarder, progress, display, context, note }: Tick): () => void {
  let lastMs = context.now()
  return function tick() {
    const nowMs = context.now()
    const gapMs = nowMs - lastMs
    lastMs = nowMs
    // A connection may have died meanwhile without an error.
    if (gapMs > STOPPED_MS) {
      void display.note(show`This process was stopped for ${Math.round(gapMs / 1000)} s. It connects again.`)
      stream.reconnect()
    }
    const { counts, down } = forwarder
    const monotonicMs = performance.now()
    if (counts.inFlight === 0 && progress.isIdle(monotonicMs)) note(stream.position)
    const isBehind = progress.isBehind(monotonicMs)
    display.update({ stream: stream.state, isBehind, readAt: progress.readAt, down, counts })
  }
}

async function introduce(
  display: ListenDisplay,
  { target, state, isNew }: ListenSession,
  o: ListenOptions,
): Promise<void> {
  const { events, webhook } = state.filter
  const what = webhook ?? (events.length === 0 ? 'all events' : events.join(', '))
  await display.note(show`Forwarding ${what} of tenant ${state.tenant} to ${target.url.href}`)
  if (o.secret === undefined && isNew)
    await display.note(show`Secret (shown this once, kept in ${o.statePath}): ${state.secret}`)
  if (!isNew && state.position !== null) await display.note(show`Continuing from the position in ${o.statePath}`)
  if (o.allowsRemote) await display.note(show`Warning: events may leave this machine.`)
}
