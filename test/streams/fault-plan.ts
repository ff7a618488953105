/** One fault of the chaos test, at a moment of its run. */
export type PlannedFault = { readonly atMs: number } & (
  | {
      readonly kind: 'gateway'
      readonly gateway: number
      readonly signal: 'SIGKILL' | 'SIGTERM'
      readonly downMs: number
    }
  | { readonly kind: 'projector'; readonly stoppedMs: number }
  | { readonly kind: 'postgres' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'quiet' }
)

/** Mean pauses between faults of a kind, ms. */
const EVERY_MS = { gateway: 4500, projector: 11_000, postgres: 30_000, drop: 4000 } as const

/**
 * Before Postgres is restarted there is a quiet time without duplicates and without dying gateways: while Postgres is unavailable
 * for longer than 2 s a gateway that does not remember the earlier record may show a duplicate (the documented exception to
 * promise 3), so none is sent. It is longer than the lag of the slowest gateway.
 */
const QUIET_MS = { before: 8000, after: 2000 } as const

/** All faults of a run of `durationMs`, in order; the same for the same random numbers. */
export function planFaults(o: {
  readonly random: () => number
  readonly durationMs: number
  readonly gateways: number
}): readonly PlannedFault[] {
  const { random, durationMs } = o
  const between = (min: number, max: number) => min + random() * (max - min)
  const postgresAtMs = moments(durationMs, EVERY_MS.postgres, () => between(0.45, 0.6))
  const isQuiet = (atMs: number) => postgresAtMs.some((at) => atMs > at - QUIET_MS.before && atMs < at + QUIET_MS.after)
  const faults: PlannedFault[] = [
    ...postgresAtMs.flatMap((atMs): PlannedFault[] => [
      { kind: 'quiet', atMs: Math.max(0, atMs - QUIET_MS.before) },
      { kind: 'postgres', atMs },
    ]),
    ...moments(durationMs, EVERY_MS.projector, random).map((atMs): PlannedFault => {
      return { kind: 'projector', atMs, stoppedMs: between(1500, 5000) }
    }),
    ...moments(durationMs, EVERY_MS.drop, random).map((atMs): PlannedFault => ({ kind: 'drop', atMs })),
    ...moments(durationMs, EVERY_MS.gateway, random).map((atMs): PlannedFault => {
      const gateway = Math.floor(random() * o.gateways)
      const signal = random() < 0.7 ? 'SIGKILL' : 'SIGTERM'
      return { kind: 'gateway', atMs, gateway, signal, downMs: between(200, 1500) }
    }),
  ]
  return faults.filter((fault) => fault.kind !== 'gateway' || !isQuiet(fault.atMs)).toSorted((a, b) => a.atMs - b.atMs)
}

/** One moment in each span of `everyMs`, where `share` draws. */
function moments(durationMs: number, everyMs: number, share: () => number): number[] {
  return Array.from({ length: Math.floor(durationMs / everyMs) }, (_, index) => (index + share()) * everyMs)
}
