import type { Context } from '../command/context.ts'
import { Forwarder } from '../forward/forwarder.ts'
import { openTarget } from '../forward/open-target.ts'
import type { Settled } from '../forward/outcome.ts'
import type { ResolvedTarget } from '../forward/resolve-target.ts'
import { webhookHeaders } from '../forward/webhook-headers.ts'
import { addFailed } from './failed-list.ts'
import type { ListenOptions } from './listen-options.ts'
import type { ListenState } from './listen-state.ts'

/** Retries are made after 0.5, 1, 2, 4, 8 s, and then every 10 s; 7.5 s in all with the usual 5 attempts. */
const RETRY_MS = { first: 500, max: 10_000 } as const

/** Makes the forwarder of a session: signed as production signs, and what is given up goes to the list of failed events. */
export function createForwarding(
  { now }: Pick<Context, 'now'>,
  o: ListenOptions,
  { target, state }: { readonly target: ResolvedTarget; readonly state: ListenState },
  onSettled: (settled: Settled) => Promise<void>,
): { readonly forwarder: Forwarder; readonly close: () => void } {
  const to = openTarget(target, o.attemptTimeoutMs)
  const secret = o.secret ?? state.secret
  const webhookId = state.filter.webhook ?? undefined
  const forwarder = new Forwarder({
    attempt: async (event) => await to.post(webhookHeaders(event, { secret, webhookId, nowMs: now() }), event.body),
    concurrency: o.concurrency,
    attemptsMax: o.attemptsMax,
    retryMs: (failures) => Math.min(RETRY_MS.max, RETRY_MS.first * 2 ** (failures - 1)),
    onGivenUp: async (settled) => await addFailed(o.failedPath, settled, now()),
    onSettled: (settled) => void onSettled(settled),
  })
  return { forwarder, close: () => to.close() }
}
