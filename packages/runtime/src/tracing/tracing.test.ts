import { afterEach, describe, expect, test } from '@jest/globals'
import { readConfig } from '../config.ts'
import { Fault } from '@ariftly/fault'
import { eventually, startCollector, type Collector } from '@ariftly/testkit'
import { createMetrics, type Metrics } from '../metrics.ts'
import { startBatchSpan, traceBatch } from './batch-span.ts'
import { startTracing } from './start-tracing.ts'
import type { StartedTracing } from './started-tracing.ts'
import { formatTraceparent, type TraceContext } from '@ariftly/trace-context'
import { tracingConfig } from './tracing-config.ts'

const ends: (() => void | Promise<void>)[] = []
const outside = { ...process.env }

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
  Object.assign(process.env, outside)
})

async function startedCollector(): Promise<Collector> {
  const collector = await startCollector()
  ends.push(() => collector.close())
  return collector
}

interface Started extends StartedTracing {
  readonly metrics: Metrics
  readonly warnings: unknown[]
}

async function start(env: Readonly<Record<string, string>>): Promise<Started> {
  Object.assign(process.env, env)
  const metrics = createMetrics()
  const warnings: unknown[] = []
  const log = { warn: (...parts: unknown[]) => void warnings.push(parts) } as never
  const started = await startTracing({ config: readConfig(tracingConfig, env), service: 'test', log, metrics })
  if (started === undefined) throw new Error('Tracing is off.')
  ends.push(() => started.close())
  return { ...started, metrics, warnings }
}

const hex = (digit: string, length: number): string => digit.repeat(length)
const context = (digit: string, sampled: boolean): TraceContext => ({
  traceId: hex(digit, 32),
  spanId: hex(digit, 16),
  sampled,
})

describe('tracing', () => {
  test.each([{}, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }])('is off with %j', async (env) => {
    const config = readConfig(tracingConfig, env)
    const log = { warn() {} } as never
    expect(await startTracing({ config, service: 'test', log, metrics: createMetrics() })).toBeUndefined()
  })

  test('does not start with a bad setting, and warns of variables that the SDK cannot use', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318', OTEL_EXPORTER_OTLP_HEADERS: 'secret' }
    expect(() => readConfig(tracingConfig, env)).toThrow(
      new RegExp(['has 2 fault', ...Object.keys(env)].join('[^]*'), 'u'),
    )
    const unusable = {
      OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
      OTEL_BSP_MAX_QUEUE_SIZE: 'many',
      OTEL_TRACES_SAMPLER: 'sometimes',
    }
    const { warnings } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', ...unusable })
    for (const name of Object.keys(unusable)) expect(JSON.stringify(warnings)).toContain(name)
  })

  test('sends spans with their parent, links, attributes and error, under the names that the environment gives', async () => {
    const collector = await startedCollector()
    const { tracing, close } = await start({
      ...collector.env,
      OTEL_SERVICE_NAME: 'system',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test%20one,team=a',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%20b',
    })
    const links = [context('c', true)]
    const span = tracing.scope('part').start({
      name: 'work',
      kind: 'server',
      parent: context('a', true),
      links,
      attributes: { text: 'x'.repeat(2000), none: undefined },
    })
    span?.end({ error: 'timeout', attributes: { tries: 3 } })
    await close()
    expect(collector.spans()).toEqual([
      expect.objectContaining({
        traceId: hex('a', 32),
        parentSpanId: hex('a', 16),
        spanId: span?.context.spanId,
        name: 'work',
        kind: 'server',
        scope: 'part',
        failed: true,
        links: [expect.objectContaining({ traceId: hex('c', 32), spanId: hex('c', 16) })],
      }),
    ])
    const [{ attributes, resource } = { attributes: {}, resource: {} }] = collector.spans()
    expect(attributes).toEqual({ text: 'x'.repeat(1024), tries: 3, 'error.type': 'timeout' })
    expect(resource).toMatchObject({
      'service.name': 'system',
      'deployment.environment.name': 'test one',
      team: 'a',
      'telemetry.sdk.name': 'opentelemetry',
    })
    expect(collector.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-key': 'a b' } })
  })

  test('uses protobuf by default, and the complete URL if one is given', async () => {
    const collector = await startedCollector()
    const { tracing, close } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/here`,
    })
    tracing.start({ name: 'work', kind: 'internal' })?.end()
    await close()
    expect(collector.requests.map(({ path, headers }) => [path, headers['content-type']])).toEqual([
      ['/here', 'application/x-protobuf'],
    ])
  })

  test.each([
    ['parentbased_always_on', '1', { root: true, sampled: true, unsampled: false }],
    ['parentbased_always_off', '1', { root: false, sampled: true, unsampled: false }],
    ['parentbased_traceidratio', '0', { root: false, sampled: true, unsampled: false }],
    ['traceidratio', '0', { root: false, sampled: false, unsampled: false }],
    ['traceidratio', '1', { root: true, sampled: true, unsampled: true }],
    ['always_on', '1', { root: true, sampled: true, unsampled: true }],
    ['always_off', '1', { root: false, sampled: false, unsampled: false }],
  ])('records what %s (%s) says, a batch as the traces that it is linked to', async (name, share, recorded) => {
    const collector = await startedCollector()
    const { tracing } = await start({
      ...collector.env,
      OTEL_TRACES_SAMPLER: name,
      OTEL_TRACES_SAMPLER_ARG: share,
    })
    const isRecorded = (o: { parent?: TraceContext; links?: TraceContext[] }) =>
      tracing.start({ name: 'work', kind: 'internal', ...o }) !== undefined
    expect({
      root: isRecorded({}),
      sampled: isRecorded({ parent: context('a', true) }),
      unsampled: isRecorded({ parent: context('a', false) }),
    }).toEqual(recorded)
    expect(isRecorded({ links: [context('a', false), context('b', true)] })).toBe(recorded.sampled)
  })
})

describe('the span of a batch', () => {
  const options = {
    operation: 'project',
    topic: 'events',
    partition: 3,
    group: 'g',
    traceparentOf: (record: string) => record,
    describe: (record: string) => ({ tenant: 't', id: record, type: 'task.created', offset: 9 }),
  } as const

  test('is linked to recorded traces alone, each of which gets one span', async () => {
    const collector = await startedCollector()
    const { tracing, close } = await start(collector.env)
    const [a, b, c] = [context('a', true), context('b', true), context('c', false)].map(formatTraceparent) as [
      string,
      string,
      string,
    ]
    const batch = startBatchSpan(tracing, { ...options, records: [c, a, 'nonsense\0', b, a] })
    batch?.end()
    await close()
    const [first, second, whole] = collector.spans()
    expect(collector.spans().map(({ name }) => name)).toEqual([
      'project task.created',
      'project task.created',
      'project events',
    ])
    expect([first, second].map((span) => [span?.traceId, span?.parentSpanId])).toEqual([
      [hex('a', 32), hex('a', 16)],
      [hex('b', 32), hex('b', 16)],
    ])
    expect(whole?.links?.map(({ traceId }) => traceId)).toEqual([hex('a', 32), hex('b', 32)])
    expect(whole?.parentSpanId).toBe('')
    expect(first?.links).toEqual([expect.objectContaining({ traceId: whole?.traceId, spanId: whole?.spanId })])
    const common = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'project',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'events',
      'messaging.destination.partition.id': '3',
      'messaging.consumer.group.name': 'g',
    }
    expect(first?.attributes).toEqual({
      ...common,
      'messaging.batch.message_count': 2,
      'messaging.kafka.offset': 9,
      'cloudevents.event_id': a,
      'cloudevents.event_type': 'task.created',
      'ariftly.tenant': 't',
    })
    expect(whole?.attributes).toEqual({ ...common, 'messaging.batch.message_count': 5 })
  })

  test('is none when no trace is recorded, or tracing is off', async () => {
    const { tracing } = await start((await startedCollector()).env)
    const unsampled = formatTraceparent(context('c', false))
    expect(startBatchSpan(tracing, { ...options, records: [unsampled, '', 'nonsense'] })).toBeUndefined()
    expect(startBatchSpan(undefined, { ...options, records: [formatTraceparent(context('a', true))] })).toBeUndefined()
  })

  test('says how its work ended', async () => {
    const collector = await startedCollector()
    const { tracing, close } = await start(collector.env)
    const records = [formatTraceparent(context('a', true))]
    const fault = new Fault({ code: 'store_unavailable', message: 'Postgres is unavailable.' })
    expect(await traceBatch(tracing, { ...options, records }, async () => 'done')).toBe('done')
    expect(await traceBatch(tracing, { ...options, records }, async () => 'lost', String)).toBe('lost')
    await expect(traceBatch(tracing, { ...options, records }, () => Promise.reject(fault))).rejects.toBe(fault)
    await close()
    const errors = collector.spans().map((span) => span.attributes['error.type'])
    expect(errors).toEqual([undefined, undefined, 'lost', 'lost', 'store_unavailable', 'store_unavailable'])
  })

  test('has 128 links at most, and says how many records it left out', async () => {
    const collector = await startedCollector()
    const { tracing, close } = await start(collector.env)
    const records = Array.from(
      { length: 200 },
      (_, index) => `00-${(index + 1).toString(16).padStart(32, '0')}-${hex('1', 16)}-01`,
    )
    startBatchSpan(tracing, { ...options, records })?.end({ error: 'lost' })
    await close()
    const whole = collector.spans().find(({ name }) => name === 'project events')
    expect(whole?.links?.length).toBe(128)
    expect(whole?.attributes).toMatchObject({ 'ariftly.traces.omitted': 72, 'error.type': 'lost' })
    expect(collector.spans().filter(({ name, failed }) => name === 'project task.created' && failed).length).toBe(128)
  })
})

describe('a collector that', () => {
  test('refuses costs spans alone: they are counted, and the log says so once', async () => {
    const collector = await startedCollector()
    collector.respondWith(() => ({ status: 400 }))
    const { tracing, close, metrics, warnings } = await start({
      ...collector.env,
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    })
    for (let at = 0; at < 5; at++) tracing.start({ name: 'work', kind: 'internal' })?.end()
    await eventually('5 failed spans are counted', async () =>
      (await metrics.render()).includes('ariftly_traces_spans_total{result="failed"} 5'),
    )
    await close()
    expect(warnings.length).toBe(1)
  })

  test('is not there is named in the warning', async () => {
    const { tracing, close, metrics, warnings } = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_TIMEOUT: '300',
    })
    tracing.start({ name: 'work', kind: 'internal' })?.end()
    await close()
    // Closing does not wait for what takes too long.
    await eventually('1 failed span is counted', async () =>
      (await metrics.render()).includes('ariftly_traces_spans_total{result="failed"} 1'),
    )
    expect(JSON.stringify(warnings)).toContain('ECONNREFUSED')
  })

  test('hangs fills a bounded queue, further spans are dropped and counted, and closing takes a second at most', async () => {
    const collector = await startedCollector()
    collector.respondWith(() => ({ instead: 'hang' }))
    const { tracing, close, metrics, warnings } = await start({
      ...collector.env,
      OTEL_BSP_MAX_QUEUE_SIZE: '4',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
      OTEL_EXPORTER_OTLP_TIMEOUT: '30000',
    })
    for (let at = 0; at < 10; at++) tracing.start({ name: 'work', kind: 'internal' })?.end()
    // Two left with the request that hangs.
    expect(await metrics.render()).toContain('ariftly_traces_spans_total{result="dropped"} 4')
    const closedAt = performance.now()
    await close()
    expect(warnings).toContainEqual([{ waited_ms: 800 }, 'the last spans were not sent in time'])
    // An export has 30 s.
    expect(performance.now() - closedAt).toBeLessThan(15_000)
  })
})
