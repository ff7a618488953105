import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import { loopDelayName, registerLoopDelay } from './loop-delay.ts'

/** What a metric is called and means. */
interface MetricOptions {
  /** `ariftly_…`, base units (`_seconds`, `_bytes`), counters end in `_total`. */
  readonly name: string
  readonly help: string
  /** Names of labels with few values; never ids of tenants, keys, tasks or events. */
  readonly labels?: readonly string[]
}

/** The total so far for these labels. When it falls, the counter was restarted. */
interface LabelledTotal {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** The metrics of one process. Getting a metric that exists already gives the same one, so that parts need not pass it to one another. */
export interface Metrics {
  /** `total` is called before each scrape, for counts kept elsewhere: it returns the totals since the start. */
  counter(options: MetricOptions & { readonly total?: () => readonly LabelledTotal[] }): Counter
  /** `collect` is called before each scrape, to set a value that is cheaper to ask for than to keep. */
  gauge(options: MetricOptions & { readonly collect?: (gauge: Gauge) => void | Promise<void> }): Gauge
  /** Buckets in the metric's unit, rising; default: 1 ms to 10 s for durations in seconds. */
  histogram(options: MetricOptions & { readonly buckets?: readonly number[] }): Histogram
  readonly contentType: string
  /** All metrics in the text format of Prometheus. */
  render(): Promise<string>
}

/** Disables prom-client's sampling of the event-loop delay, which wakes an idle process; our gauges replace it. */
const NEVER_MS = 2 ** 31 - 1

/** Gauges that prom-client names like counters; there are gauges by kind for the same values. */
const MISNAMED = ['handles', 'requests', 'resources'].map((kind) => `ariftly_nodejs_active_${kind}_total`)

const LOOP_DELAYS = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(loopDelayName)

/** Creates an empty set of metrics; `process: true` adds memory, CPU, event loop and garbage collection of this process. */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry()
  function counter(o: MetricOptions & { readonly total?: () => readonly LabelledTotal[] }): Counter {
    const { total } = o
    return (
      existing(o, Counter) ??
      new Counter({
        ...base(o),
        registers: [registry],
        ...(total === undefined
          ? {}
          : {
              collect(this: Counter) {
                this.reset()
                for (const { labels = {}, value } of total()) this.inc(labels, value)
              },
            }),
      })
    )
  }

  function gauge(o: MetricOptions & { readonly collect?: (gauge: Gauge) => void | Promise<void> }): Gauge {
    const { collect } = o
    return (
      existing(o, Gauge) ??
      new Gauge({
        ...base(o),
        registers: [registry],
        ...(collect === undefined
          ? {}
          : {
              collect(this: Gauge) {
                return collect(this)
              },
            }),
      })
    )
  }

  function histogram(o: MetricOptions & { readonly buckets?: readonly number[] }): Histogram {
    return (
      existing(o, Histogram) ??
      new Histogram({ ...base(o), registers: [registry], buckets: [...(o.buckets ?? DURATION_BUCKETS_S)] })
    )
  }

  function existing<M extends Counter | Gauge | Histogram>(
    o: MetricOptions,
    kind: new (...args: never[]) => M,
  ): M | undefined {
    const metric = registry.getSingleMetric(o.name)
    if (metric === undefined) return undefined
    if (!(metric instanceof kind)) throw new TypeError(`The metric ${o.name} exists already and is of another kind.`)
    return metric
  }

  const metrics = { counter, gauge, histogram, contentType: registry.contentType, render: () => registry.metrics() }
  if (options.process === true) {
    collectDefaultMetrics({ register: registry, prefix: 'ariftly_', eventLoopMonitoringPrecision: NEVER_MS })
    for (const name of [...MISNAMED, ...LOOP_DELAYS]) registry.removeSingleMetric(name)
    registerLoopDelay(metrics)
  }
  return metrics
}

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

function base(o: MetricOptions): { name: string; help: string; labelNames: string[] } {
  if (!/^ariftly_[a-z0-9_]+$/.test(o.name)) throw new TypeError(`A metric is named ariftly_…, not ${o.name}.`)
  return { name: o.name, help: o.help, labelNames: [...(o.labels ?? [])] }
}
