import type { Logger } from '@ariftly/sdk'
import type { Context } from '../command/context.ts'
import { show, type Shown } from '../terminal/show.ts'
import { createStatusLine } from '../terminal/status-line.ts'
import type { LineSender, RefusedLine } from './line-sender.ts'

/** What is shown of a sending, on standard error. */
export interface SendDisplay {
  /** Takes what the SDK says about failures: the status names the last one while nothing is accepted. */
  readonly logger: Logger
  /** Draws the status until the returned function is called; `before` is what earlier runs have sent. */
  watch(counts: () => LineSender['counts'], before: { readonly accepted: number; readonly refused: number }): () => void
  refused(line: RefusedLine): Promise<void>
  note(text: Shown): Promise<void>
  close(): void
}

const TICK_MS = 250
/** So long without an accepted event is named a wait, once a failure was met. */
const WAIT_MS = 1500

/** Shows a sending on the outputs of a command. */
export function createSendDisplay(context: Context): SendDisplay {
  const { err, json } = context
  const line = createStatusLine(err)
  let failure: string | undefined
  let hasSaid = false

  function fail(message: string): void {
    failure = message
  }
  function warn(message: string): void {
    fail(message)
    if (err.isTty) line.show(show`waiting: ${message}`)
    else if (!hasSaid) void context.note(show`Waiting: ${message}`)
    hasSaid = true
  }
  return {
    logger: { debug: fail, warn },
    watch(counts, before) {
      let accepted = 0
      let acceptedMs = performance.now()
      const timer = setInterval(() => {
        const now = counts()
        if (now.accepted > accepted) {
          accepted = now.accepted
          acceptedMs = performance.now()
          failure = undefined
          hasSaid = false
        }
        const isWaiting = failure !== undefined && now.inFlight > 0 && performance.now() - acceptedMs > WAIT_MS
        const done = show`${before.accepted + now.accepted} accepted, ${before.refused + now.refused} refused, ${now.inFlight} in flight`
        line.show(isWaiting ? show`waiting: ${failure} · ${done}` : show`sending · ${done}`)
      }, TICK_MS)
      return () => clearInterval(timer)
    },
    async refused({ number, code, pointer, message }) {
      const text = show`line ${number} is refused: ${pointer} ${message} (${code})`
      await line.above(async () => {
        await (json ? err.json({ refused: { line: number, code, pointer, message } }) : err.line(text))
      })
    },
    note: async (text) => await line.above(async () => await context.note(text)),
    close: () => line.close(),
  }
}
