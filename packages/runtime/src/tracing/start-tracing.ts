import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { TracingConfig } from './tracing-config.ts'
import type { Tracing } from './tracing.ts'

/** What {@link startTracing} needs. */
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
  /** Sends what waits, within a second; what cannot be sent by then is lost. Never rejects. */
  readonly close: () => Promise<void>
}

/**
 * Starts tracing when the environment names a collector; else it is undefined, and nothing of OpenTelemetry's SDK is even loaded. A
 * collector that is away is neither waited for nor a failure: spans wait in a bounded queue, and what is lost is counted and warned of.
 */
export async function startTracing(o: StartTracingOptions): Promise<StartedTracing | undefined> {
  const { config } = o
  const endpoint = config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? config.OTEL_EXPORTER_OTLP_ENDPOINT
  if (endpoint === undefined || config.OTEL_SDK_DISABLED || config.OTEL_TRACES_EXPORTER === 'none') return undefined
  const { createSdkTracing } = await import('./sdk.ts')
  return await createSdkTracing(o)
}
