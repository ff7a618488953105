import { createReadStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { addAbortSignal } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Ariftly } from '@ariftly/sdk'
import type { Context } from '../command/context.ts'
import { lockState } from '../state/lock-state.ts'
import { readState, writeState } from '../state/state-file.ts'
import { StateSaver } from '../state/state-saver.ts'
import { untilAnswered } from '../stream/until-answered.ts'
import { show } from '../terminal/show.ts'
import { createLineId } from './line-id.ts'
import { LineSender, type SentMark } from './line-sender.ts'
import { readLines, type InputLine } from './read-lines.ts'
import { openRejects, type Rejects } from './rejects.ts'
import { createSendDisplay, type SendDisplay } from './send-display.ts'
import { digestOf, newSendState, parseSendState, sendStateName, type SendState } from './send-state.ts'
import { createServerTime } from './server-time.ts'

/** Options of `events send`. */
export interface SendOptions {
  /** Undefined for standard input. */
  readonly file: string | undefined
  /** Events a second; undefined for as fast as they are taken. */
  readonly rate: number | undefined
  readonly rejects: string | undefined
  /** Sends a file that was sent whole, as new events. */
  readonly again: boolean
}

/** Result of the lines: `cli:SendResult` of the schemas. */
export interface SendResult {
  readonly object: 'send_result'
  readonly accepted: number
  readonly refused: number
  /** Lines that an earlier run had settled. */
  readonly resumed_after_line: number
}

/** How often the state is saved. */
const SAVE_EVERY_MS = 300
/** Time in which requests under way at Ctrl-C may still be accepted. */
const END_MS = 2000

/**
 * Sends lines until all are accepted or refused. For a file a state is kept: the same command continues it after any end, under the same ids,
 * so that no event is sent as a duplicate. Throws a CliError for a file, a state or a key that does not serve, and the reason of the signal.
 */
export async function runSend(context: Context, o: SendOptions): Promise<SendResult> {
  const digest = o.file === undefined ? undefined : await digestOf(o.file)
  const time = createServerTime(() => context.now(), context.fetch)
  const display = createSendDisplay(context)
  const client = await context.client({ fetch: time.fetch, logger: display.logger })
  const releases: (() => void)[] = [() => display.close()]
  try {
    if (o.file === undefined || digest === undefined) {
      const rejects = o.rejects === undefined ? undefined : await openRejects(o.rejects, undefined)
      // An open pipe without data would be waited for.
      const input = addAbortSignal(context.signal, context.stdin)
      return await sendLines({ context, o, client, display, rejects, input, state: undefined })
    }
    const { signal } = context
    const ask = async () => await client.apiKeys.current({ signal, maxRetries: 0 })
    const onWait = (error: Error) => display.logger.warn(error.message)
    const { tenant } = await untilAnswered(ask, { signal, onWait })
    const scope = { server: (await context.server()).url, tenant, digest }
    const path = join(context.folders.state, 'send', `${sendStateName(scope)}.json`)
    releases.push(await lockState(path, 'Wait until it has ended, or stop it.'))
    const kept = await readState(path, parseSendState)
    if (kept?.doneAt != null && !o.again) {
      await display.note(show`This file was sent by ${kept.doneAt}. Send it as new events with --again.`)
      return resultOf(kept, kept.line)
    }
    const before = kept === undefined || kept.doneAt !== null ? newSendState(scope, time.now()) : kept
    const { rejects, state } = await openOwnRejects(o.rejects, before)
    // It names the file before anything is written there: what a killed run has written is then known to be its own.
    await writeState(path, state)
    if (state.line > 0) await display.note(show`Continuing after line ${state.line}.`)
    return await sendLines({
      context,
      o,
      client,
      display,
      rejects,
      input: createReadStream(o.file),
      state: { path, state },
    })
  } finally {
    for (const release of releases.toReversed()) release()
  }
}

/** Opens the file of refused lines, if one was asked for, and notes it in the state. */
async function openOwnRejects(
  asked: string | undefined,
  before: SendState,
): Promise<{ readonly rejects: Rejects | undefined; readonly state: SendState }> {
  if (asked === undefined) return { rejects: undefined, state: before }
  const path = resolve(asked)
  const kept = before.rejects === path ? before.rejectsBytes : undefined
  return { rejects: await openRejects(path, kept), state: { ...before, rejects: path, rejectsBytes: kept ?? 0 } }
}

interface Sending {
  readonly context: Context
  readonly o: SendOptions
  readonly client: Ariftly
  readonly display: SendDisplay
  readonly rejects: Rejects | undefined
  readonly input: AsyncIterable<Uint8Array>
  /** The state of a file; undefined for standard input. */
  readonly state: { readonly path: string; readonly state: SendState } | undefined
}

async function sendLines(sending: Sending): Promise<SendResult> {
  const { context, o, client, display, rejects, input, state } = sending
  const first = state?.state ?? newSendState({ server: '', tenant: '', digest: '' }, 0)
  const lineId = createLineId(`${first.digest}\0${first.startedMs}`)
  let current = first
  let failure: { readonly error: unknown } | undefined

  async function save({ line, count }: SentMark): Promise<void> {
    const taken = sender.takeRefused(line)
    for (const each of taken) await display.refused(each)
    const rejectsBytes = (await rejects?.add(taken.map(({ text }) => text))) ?? current.rejectsBytes
    const refused = current.refused + taken.length
    const accepted = first.accepted + first.refused + count - refused
    current = { ...current, line, accepted, refused, rejectsBytes }
    if (state !== undefined) await writeState(state.path, current)
  }
  const saver = new StateSaver(save, SAVE_EVERY_MS, (error) => (failure ??= { error }))
  const sender = new LineSender({
    client,
    idOf: state === undefined ? undefined : (line, atMs) => lineId(atMs ?? first.startedMs, line),
    onMoved: (mark) => saver.note(mark),
  })
  const stopShowing = display.watch(() => sender.counts, first)
  context.signal.addEventListener('abort', () => void client.close({ timeoutMs: END_MS }), { once: true })
  try {
    for await (const lines of paced(readLines(input), first.line, o.rate, context.signal)) {
      for (const line of lines) {
        if (failure !== undefined) throw failure.error
        await sender.send(line)
      }
    }
    await sender.drained()
  } catch (error) {
    context.signal.throwIfAborted()
    throw error
  } finally {
    stopShowing()
    await saver.flush()
    await rejects?.close()
  }
  const done: SendState = { ...current, doneAt: new Date(context.now()).toISOString() }
  if (state !== undefined) await writeState(state.path, done)
  return resultOf(done, first.line)
}

/** Lines after a number, not more than `rate` a second. Ends by throwing the reason of the signal. */
async function* paced(
  groups: AsyncIterable<readonly InputLine[]>,
  after: number,
  rate: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly InputLine[], void> {
  const startedMs = performance.now()
  let given = 0
  for await (const group of groups) {
    signal.throwIfAborted()
    const lines = group.filter(({ number }) => number > after)
    if (rate === undefined) {
      yield lines
      continue
    }
    for (const line of lines) {
      const dueInMs = startedMs + (given * 1000) / rate - performance.now()
      if (dueInMs > 1) await delay(dueInMs, undefined, { signal })
      given += 1
      yield [line]
    }
  }
}

function resultOf({ accepted, refused }: SendState, resumedAfter: number): SendResult {
  return { object: 'send_result', accepted, refused, resumed_after_line: resumedAfter }
}
