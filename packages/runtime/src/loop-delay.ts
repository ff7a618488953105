import { createHistogram, performance } from 'node:perf_hooks'

/** In the order in which a scrape collects them. */
const KINDS = ['mean', 'p50', 'p90', 'p99', 'max'] as const

/** How late timers were, in seconds. */
export type LoopDelays = Readonly<Record<(typeof KINDS)[number], number>>

/** Pause between two samples of a working process, and of an idle one, which each sample wakes. */
const WORKING_EVERY_MS = 100
const RESTING_EVERY_MS = 1000
/** Below this share of the time since the last sample in which the event loop ran, the process is idle. */
const WORKING_SHARE = 0.1

/** Makes gauges; `collect` is called before each scrape. */
interface Gauges {
  gauge(o: {
    readonly name: string
    readonly help: string
    collect(gauge: { set(value: number): void }): void
  }): unknown
}

/** The name of a gauge, as prom-client has it. */
export function loopDelayName(kind: string): string {
  return `ariftly_nodejs_eventloop_lag_${kind}_seconds`
}

/** Registers gauges of the event-loop delay since the previous scrape. prom-client's gauges count the sampling interval as delay. */
export function registerLoopDelay(metrics: Gauges): void {
  const takeDelays = watchLoopDelay()
  let taken = takeDelays()
  for (const kind of KINDS) {
    metrics.gauge({
      name: loopDelayName(kind),
      help: `How late timers were since the scrape before: ${kind}.`,
      collect(gauge) {
        if (kind === KINDS[0]) taken = takeDelays()
        gauge.set(taken[kind])
      },
    })
  }
}

/**
 * Samples how late a timer is, without keeping the process alive. The returned function gives the delays since its last call;
 * without a sample in between they are 0.
 *
 * @param takeShare gives the share of the time since its last call in which the event loop ran.
 */
export function watchLoopDelay(takeShare: () => number = createShare()): () => LoopDelays {
  const delays = createHistogram()
  let dueMs = 0
  wait()

  function wait(): void {
    const pauseMs = takeShare() < WORKING_SHARE ? RESTING_EVERY_MS : WORKING_EVERY_MS
    dueMs = performance.now() + pauseMs
    setTimeout(sample, pauseMs).unref()
  }

  function sample(): void {
    // Nanoseconds; a histogram takes no 0, and a timer may be a part of a millisecond early.
    delays.record(Math.max(1, Math.round((performance.now() - dueMs) * 1e6)))
    wait()
  }

  return function takeDelays() {
    const isEmpty = delays.count === 0
    const seconds = (ns: number): number => (isEmpty ? 0 : ns / 1e9)
    const taken = {
      mean: seconds(delays.mean),
      p50: seconds(delays.percentile(50)),
      p90: seconds(delays.percentile(90)),
      p99: seconds(delays.percentile(99)),
      max: seconds(delays.max),
    }
    delays.reset()
    return taken
  }
}

function createShare(): () => number {
  let last = performance.eventLoopUtilization()
  return function takeShare() {
    const { utilization } = performance.eventLoopUtilization(last)
    last = performance.eventLoopUtilization()
    return utilization
  }
}
