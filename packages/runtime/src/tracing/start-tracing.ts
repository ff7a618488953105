import type { StartedTracing, StartTracingOptions } from './started-tracing.ts'

/**
 * Starts tracing when the environment names a collector; otherwise undefined, and OpenTelemetry's SDK is not loaded. An
 * unavailable collector is neither waited for nor a failure: spans wait in a bounded queue, and lost spans are counted and
 * logged as a warning.
 */
export async function startTracing(o: StartTracingOptions): Promise<StartedTracing | undefined> {
  if (o.config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined) return undefined
  const { createSdkTracing } = await import('./sdk.ts')
  return await createSdkTracing(o)
}
