import { str, url } from '../config-items.ts'
import type { ConfigOf } from '../config.ts'

/** What turns tracing on, and its secret, which may be in a file. OpenTelemetry's other variables are read by its SDK. */
export const tracingConfig = {
  OTEL_EXPORTER_OTLP_ENDPOINT: url({
    doc: "Base URL of the collector of traces, to which `/v1/traces` is added. Without it nothing is traced. OpenTelemetry's SDK reads its other variables itself.",
    optional: true,
    protocols: ['http:', 'https:'],
  }),
  OTEL_EXPORTER_OTLP_HEADERS: str({
    doc: 'Headers for the collector: `name=value`, comma-separated, percent-encoded.',
    secret: true,
    optional: true,
    pattern: /^\s*[^=,\s]+\s*=[^,]*(,\s*[^=,\s]+\s*=[^,]*)*$/,
    patternDoc: '`name=value`, comma-separated',
  }),
} as const

/** The values of {@link tracingConfig}. */
export type TracingConfig = ConfigOf<typeof tracingConfig>
