import { bool, int, oneOf, str, url } from '../config-items.ts'
import type { ConfigOf } from '../config.ts'

const HTTP = ['http:', 'https:'] as const
const PROTOCOLS = ['http/protobuf', 'http/json'] as const

/**
 * OpenTelemetry's standard environment, as far as it is used here. The exporter itself reads more of it: certificates, and the
 * `OTEL_EXPORTER_OTLP_TRACES_…` form of each `OTEL_EXPORTER_OTLP_…`.
 */
export const tracingConfig = {
  OTEL_EXPORTER_OTLP_ENDPOINT: url({
    doc: 'Base URL of the collector of traces, to which `/v1/traces` is added. Without an endpoint nothing is traced.',
    optional: true,
    protocols: HTTP,
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url({
    doc: 'The whole URL instead; wins over the other.',
    optional: true,
    protocols: HTTP,
  }),
  OTEL_EXPORTER_OTLP_PROTOCOL: oneOf({
    doc: 'How spans are encoded.',
    words: PROTOCOLS,
    default: 'http/protobuf',
  }),
  OTEL_EXPORTER_OTLP_HEADERS: str({
    doc: 'Headers for the collector: `name=value`, comma-separated, percent-encoded.',
    secret: true,
    optional: true,
    pattern: /^\s*[^=,\s]+\s*=[^,]*(,\s*[^=,\s]+\s*=[^,]*)*$/,
    patternDoc: '`name=value`, comma-separated',
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: int({
    doc: 'Time in which the collector must have taken a batch of spans, ms.',
    default: 10_000,
    min: 1,
    max: 600_000,
  }),
  OTEL_EXPORTER_OTLP_COMPRESSION: oneOf({
    doc: 'Compression of what is sent to the collector.',
    words: ['none', 'gzip'],
    default: 'none',
  }),
  OTEL_SERVICE_NAME: str({ doc: '`service.name` of the spans; default: `ariftly-` and the service.', optional: true }),
  OTEL_RESOURCE_ATTRIBUTES: str({
    doc: 'More attributes of the process: `name=value`, comma-separated, percent-encoded.',
    optional: true,
    pattern: /^\s*[^=,\s]+\s*=[^=,]*(,\s*[^=,\s]+\s*=[^=,]*)*,?$/,
    patternDoc: '`name=value`, comma-separated',
  }),
  OTEL_TRACES_SAMPLER: oneOf({
    doc: 'Which traces are recorded. `parentbased_…` does as the caller asks in `traceparent`, and else as the rest says.',
    words: [
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ],
    default: 'parentbased_always_on',
  }),
  OTEL_TRACES_SAMPLER_ARG: str({
    doc: 'Share of traces that a `…traceidratio` records, 0 to 1.',
    default: '1',
    pattern: /^(0|1|0?\.\d+|1\.0+)$/,
    patternDoc: 'a number from 0 to 1',
  }),
  OTEL_TRACES_EXPORTER: oneOf({
    doc: '`none` traces nothing; it overrides all other settings.',
    words: ['otlp', 'none'],
    default: 'otlp',
  }),
  OTEL_SDK_DISABLED: bool({ doc: '`true` traces nothing; it overrides all other settings.', default: false }),
  OTEL_BSP_SCHEDULE_DELAY: int({ doc: 'Longest time that a span waits to be sent, ms.', default: 5000, min: 1 }),
  OTEL_BSP_EXPORT_TIMEOUT: int({ doc: 'After this a batch of spans is given up, ms.', default: 30_000, min: 1 }),
  OTEL_BSP_MAX_QUEUE_SIZE: int({
    doc: 'Spans that wait to be sent; more are dropped and counted.',
    default: 2048,
    min: 1,
    max: 1_000_000,
  }),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: int({ doc: 'Spans of one request.', default: 512, min: 1, max: 100_000 }),
} as const

/** The values of {@link tracingConfig}. */
export type TracingConfig = ConfigOf<typeof tracingConfig>
