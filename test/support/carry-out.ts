import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Carries out planned faults, each at its moment, independent of the others' duration. After a failure no further one is started.
 * @returns the results of the faults, in the order of the plan, once all are over and `durationMs` have passed.
 * @throws the first failure, when all started ones are over.
 */
export async function carryOut<F extends { readonly atMs: number }, T>(o: {
  readonly faults: readonly F[]
  readonly durationMs: number
  readonly inject: (fault: F) => Promise<T>
}): Promise<readonly T[]> {
  const startedMs = performance.now()
  const until = (atMs: number) => sleep(Math.max(0, startedMs + atMs - performance.now()))
  const acts: Promise<T>[] = []
  const failed = new AbortController()
  for (const fault of o.faults) {
    await until(fault.atMs)
    if (failed.signal.aborted) break
    const act = o.inject(fault)
    act.catch(() => failed.abort())
    acts.push(act)
  }
  const outcomes = await Promise.allSettled(acts)
  if (!failed.signal.aborted) await until(o.durationMs)
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}
