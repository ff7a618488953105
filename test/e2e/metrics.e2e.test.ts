import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { readRunbooks } from '../deploy/runbooks.ts'
import { metricsOf, readOperationsPages, readQueries } from '../deploy/telemetry-files.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'

/** By the prefix of their metrics. */
const READERS = ['projector', 'stream', 'webhook_matcher']

/** Of prom-client, for each Node process: a usual set, of which the dashboards show a part. */
const OF_THE_PROCESS = /^ariftly_(process|nodejs)_/

const runbookQueries = readRunbooks().flatMap(({ alert, queries }) =>
  queries.map((expr) => ({ place: `runbook of ${alert}`, expr })),
)

let system: Standalone
let text: string

beforeAll(async () => {
  system = await startStandalone()
  await system.post('/v1/events', '{"type":"task.created","task_id":"t","data":{}}', 202)
  const whole = await eventually('the page has all readers', async () => {
    const page = await (await system.request('/metrics')).text()
    return READERS.every((reader) => page.includes(`\nariftly_${reader}_lag_records{`)) ? page : undefined
  })
  text = whole ?? ''
})
afterAll(async () => {
  await system?.close()
})

describe('the metrics of the running system', () => {
  test.each([...readQueries(), ...runbookQueries])('exist for each query: $place', ({ expr }) => {
    const present = series(text)
    expect(metricsOf(expr).filter((name) => !present.has(name))).toEqual([])
  })

  test('are each on a dashboard, in an alert or in a page for operators', () => {
    const texts = [...readQueries().map(({ expr }) => expr), readOperationsPages()]
    const shown = new Set(texts.flatMap(metricsOf))
    const unused = types(text)
      .map(([name]) => name)
      .filter((name) => !OF_THE_PROCESS.test(name) && !shown.has(name) && !shown.has(`${name}_bucket`))
    expect(unused).toEqual([])
  })

  test.each(readQueries())('have the label values that are asked for: $place', ({ expr }) => {
    const asked = [...expr.matchAll(/\b(ariftly_\w+)\{phase="(\w+)"\}/g)].map(([selector]) => selector)
    expect(asked.filter((selector) => !text.includes(`\n${selector} `))).toEqual([])
  })

  test('have names in base units, and no ids as labels', () => {
    for (const [name, type] of types(text)) {
      expect(name).toMatch(/^ariftly_[a-z0-9_]+$/)
      if (type === 'counter') expect(name).toMatch(/_total$/)
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb|kilobytes)(_|$)/)
    }
    const labels = new Set([...text.matchAll(/[{,]([a-z_]+)="/g)].map(([, label]) => label))
    for (const label of ['tenant', 'key_id', 'task_id', 'webhook_id', 'event_id']) expect(labels).not.toContain(label)
  })

  test('show the lag and the failures of every reader of the log', () => {
    for (const reader of READERS) {
      for (const what of ['records', 'seconds']) {
        expect(text).toMatch(new RegExp(`^ariftly_${reader}_lag_${what}\\{partition="\\d+"\\} \\d`, 'm'))
      }
      for (const what of ['rebuilds', 'failed_batches']) expect(text).toContain(`\nariftly_${reader}_${what}_total 0\n`)
    }
  })

  // Not an npm package, as in test/deploy/telemetry.test.ts.
  test("pass Prometheus's own checks (promtool)", () => {
    const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    })
    if (error !== undefined) expect(process.env['REQUIRE_TOOLS'] ?? 'not asked for').toBe('not asked for')
    else expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' })
  })
})

/** `# TYPE` lines: metrics without a value yet have them too. */
function types(metrics: string): readonly (readonly [name: string, type: string])[] {
  return [...metrics.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type] as const)
}

/** Names by which the values can be asked for. */
function series(metrics: string): ReadonlySet<string> {
  return new Set(
    types(metrics).flatMap(([name, type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  )
}
