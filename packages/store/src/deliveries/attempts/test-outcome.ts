import type { AttemptOutcome } from './attempt-outcome.ts'

/** When an endpoint counts as failing, in tests. */
export const FAILING = { after: 10, probeMs: 60_000, probeMsMax: 300_000, disableMs: 432_000_000 }

/** The outcome of an attempt that has succeeded. */
export function deliveredOutcome(
  ids: Pick<AttemptOutcome, 'deliveryId' | 'attempt' | 'tenant' | 'webhookId'>,
): AttemptOutcome {
  const step = { state: 'delivered', counts: true } as const
  const times = { startedAtMs: Date.now(), dnsMs: 0, connectMs: 0, tlsMs: null, firstByteMs: 3, totalMs: 4 }
  const answer = {
    address: '127.0.0.1',
    responseHeaders: null,
    responseBody: null,
    errorClass: null,
    errorDetail: null,
  }
  return {
    ...ids,
    endpointVersion: 1,
    first: true,
    probe: false,
    type: 'delivered',
    next: { whileOpen: step, whileFailing: step, dueInMs: 0 },
    record: { ...times, ...answer, status: 200 },
  }
}
