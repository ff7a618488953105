import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { eventually, testFolder, startCollector, type Collector } from '@ariftly/testkit'
import { startLoneIngest, type LoneIngest } from './lone-ingest.ts'

const ends: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end.close()
})

async function ingestWith(env: Readonly<Record<string, string>>): Promise<LoneIngest> {
  const ingest = await startLoneIngest(env)
  ends.push(ingest)
  return ingest
}

async function openCollector(): Promise<Collector> {
  const collector = await startCollector()
  ends.push(collector)
  return collector
}

/** Ends it in order and gives its exit code. */
async function stop({ process }: LoneIngest): Promise<number> {
  process.kill('SIGTERM')
  return await process.exited
}

async function metricsOf({ process }: LoneIngest): Promise<string> {
  return await (await fetch(`${process.url}/metrics`)).text()
}

/** Files of OpenTelemetry that a process has run, by the coverage that Node writes at its end. */
function otelFiles(coverageDir: string): readonly string[] {
  return readdirSync(coverageDir).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(coverageDir, file), 'utf8')) as { result: { url: string }[] }
    // prom-client loads the API, which does nothing alone.
    return result.map(({ url }) => url).filter((url) => /@opentelemetry\/(?!api\/)/.test(url))
  })
}

async function filesOfRun(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const coverageDir = testFolder('coverage')
  const ingest = await ingestWith({ NODE_V8_COVERAGE: coverageDir, ...env })
  expect(await ingest.post(5)).toEqual(Array(5).fill(202))
  expect(await stop(ingest)).toBe(0)
  return otelFiles(coverageDir)
}

test('a process without a collector loads nothing of the SDK', async () => {
  const collector = await openCollector()
  expect(await filesOfRun({})).toEqual([])
  expect(await filesOfRun({ ...collector.env, OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toEqual([])
  expect((await filesOfRun(collector.env)).length).toBeGreaterThan(10)
})

test('a service sends its spans under its own name, the last ones as it ends, and logs their ids', async () => {
  const collector = await openCollector()
  const ingest = await ingestWith({ ...collector.env, OTEL_BSP_SCHEDULE_DELAY: '60000', LOG_LEVEL: 'info' })
  const { url } = ingest.process
  expect((await fetch(`${url}/v1/nothing?token=hidden`)).status).toBe(404)
  expect((await fetch(`${url}/v1/events`, { method: 'PROPFIND' })).status).toBe(405)
  expect(await ingest.post(1)).toEqual([202])
  expect(collector.spans()).toEqual([])
  expect(await stop(ingest)).toBe(0)
  const spans = collector.spans()
  const requests = spans.filter(({ kind }) => kind === 'server')
  expect(requests.map(({ name }) => name)).toEqual(['GET', 'HTTP', 'POST /v1/events'])
  expect(requests[1]?.attributes).toMatchObject({
    'http.request.method': '_OTHER',
    'http.request.method_original': 'PROPFIND',
    'http.response.status_code': 405,
  })
  expect(new Set(spans.map(({ resource }) => resource['service.name']))).toEqual(new Set(['ariftly-ingest']))
  expect(JSON.stringify(spans)).not.toContain('hidden')
  const posted = requests.at(-1)
  expect(ingest.process.output()).toContain(`"trace_id":"${posted?.traceId}","span_id":"${posted?.spanId}"`)
})

describe('a collector that', () => {
  test('hangs changes no answer, and does not hold up the exit', async () => {
    const collector = await openCollector()
    collector.respondWith(() => ({ instead: 'hang' }))
    const ingest = await ingestWith({ ...collector.env, OTEL_BSP_MAX_QUEUE_SIZE: '10' })
    expect(await ingest.post(50)).toEqual(Array(50).fill(202))
    expect(await metricsOf(ingest)).toMatch(/ariftly_traces_spans_total\{result="dropped"\} [1-9]/)
    // Long before the exporter's timeout of 10 s.
    const late = new Promise((resolve) => setTimeout(resolve, 6000, 'held up').unref())
    expect(await Promise.race([stop(ingest), late])).toBe(0)
    expect(ingest.process.output()).toContain('the last spans were not sent in time')
  })

  test('is not there is a warning and a number, and no more', async () => {
    const ingest = await ingestWith({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_TIMEOUT: '200',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    })
    expect(await ingest.post(20)).toEqual(Array(20).fill(202))
    await eventually('a failed span is counted', async () =>
      /_spans_total\{result="failed"\} [1-9]/.test(await metricsOf(ingest)),
    )
    expect(await ingest.post(20)).toEqual(Array(20).fill(202))
    expect((await fetch(`${ingest.process.url}/readyz`)).status).toBe(200)
    expect(await stop(ingest)).toBe(0)
    expect(ingest.process.output().match(/spans are lost/g)).toEqual(['spans are lost'])
  })
})
