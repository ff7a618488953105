import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { createWorld, eventually, startServiceProcess, type ServiceProcess, type World } from '@ariftly/testkit'
import { startCollector } from './collector.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

/** Ingest as a process of its own, which is killed at the end if it still runs. */
async function startIngest(
  env: Record<string, string>,
): Promise<{ ingest: ServiceProcess; world: World; key: string }> {
  const world = await createWorld({ partitions: 3 })
  ends.push(() => world.close())
  const ingest = await startServiceProcess('ingest', { ...world.env, FAREWELL_MS: '0', ...env })
  ends.push(async () => {
    ingest.kill()
    await ingest.exited
  })
  return { ingest, world, key: await world.apiKey('default') }
}

async function postEvents(ingest: ServiceProcess, key: string, count: number): Promise<readonly number[]> {
  const body = '{"type":"task.created","task_id":"t","data":{}}'
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answers = Array.from({ length: count }, () =>
    fetch(`${ingest.url}/v1/events`, { method: 'POST', body, headers }),
  )
  return (await Promise.all(answers)).map(({ status }) => status)
}

/** Files of OpenTelemetry that a process has run, by the coverage that Node writes at its end. */
function otelFiles(coverageDir: string): readonly string[] {
  return readdirSync(coverageDir).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(coverageDir, file), 'utf8')) as { result: { url: string }[] }
    // prom-client loads the API, which does nothing by itself.
    return result.map(({ url }) => url).filter((url) => /@opentelemetry\/(?!api\/)/.test(url))
  })
}

async function filesOfRun(env: Record<string, string>): Promise<readonly string[]> {
  const coverageDir = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'coverage-'))
  const { ingest, key } = await startIngest({ NODE_V8_COVERAGE: coverageDir, ...env })
  expect(await postEvents(ingest, key, 5)).toEqual(Array(5).fill(202))
  ingest.kill('SIGTERM')
  expect(await ingest.exited).toBe(0)
  return otelFiles(coverageDir)
}

test('a process without a collector loads nothing of the SDK', async () => {
  const collector = await startCollector()
  ends.push(() => collector.close())
  expect(await filesOfRun({})).toEqual([])
  expect(await filesOfRun({ ...collector.env, OTEL_SDK_DISABLED: 'true' })).toEqual([])
  expect((await filesOfRun(collector.env)).length).toBeGreaterThan(10)
})

test('a collector that hangs changes no answer, and does not hold up the exit', async () => {
  const collector = await startCollector()
  ends.push(() => collector.close())
  collector.respondWith(() => ({ instead: 'hang' }))
  const { ingest, key } = await startIngest({ ...collector.env, OTEL_BSP_MAX_QUEUE_SIZE: '10' })
  expect(await postEvents(ingest, key, 50)).toEqual(Array(50).fill(202))
  const metrics = await (await fetch(`${ingest.url}/metrics`)).text()
  expect(metrics).toMatch(/ariftly_traces_spans_total\{result="dropped"\} [1-9]/)
  ingest.kill('SIGTERM')
  // Long before the exporter's timeout of 10 s.
  const code = await Promise.race([
    ingest.exited,
    new Promise((resolve) => setTimeout(resolve, 6000, 'held up').unref()),
  ])
  expect(code).toBe(0)
  expect(ingest.output()).toContain('the last spans were not sent in time')
})

test('a collector that is not there is a warning and a number, and no more', async () => {
  const { ingest, key } = await startIngest({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    OTEL_EXPORTER_OTLP_TIMEOUT: '200',
    OTEL_BSP_SCHEDULE_DELAY: '10',
  })
  expect(await postEvents(ingest, key, 20)).toEqual(Array(20).fill(202))
  await eventually(async () => {
    const metrics = await (await fetch(`${ingest.url}/metrics`)).text()
    return /ariftly_traces_spans_total\{result="failed"\} [1-9]/.test(metrics)
  })
  expect(await postEvents(ingest, key, 20)).toEqual(Array(20).fill(202))
  expect((await fetch(`${ingest.url}/readyz`)).status).toBe(200)
  ingest.kill('SIGTERM')
  expect(await ingest.exited).toBe(0)
  expect(ingest.output().match(/spans are lost/g)).toEqual(['spans are lost'])
})
