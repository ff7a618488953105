import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { TracingConfig } from './tracing-config.ts'
import type { Tracing } from './tracing.ts'

/** Options of `startTracing`. */
export interface StartTracingOptions {
  readonly config: TracingConfig
  /** The process: `service.name` unless the environment has another one. */
  readonly service: string
  readonly log: Pick<Logger, 'warn'>
  readonly metrics: Metrics
}

/** Tracing of a process. */
export interface StartedTracing {
  readonly tracing: Tracing
  /** Sends the queued spans within a second; the rest is lost. Never rejects. */
  readonly close: () => Promise<void>
}
