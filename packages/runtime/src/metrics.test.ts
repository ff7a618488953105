import { expect, test } from '@jest/globals'
import { createMetrics } from './metrics.ts'

test('the same name gives the same metric', async () => {
  const metrics = createMetrics()
  const options = { name: 'ariftly_test_total', help: 'Tests.', labels: ['kind'] }
  metrics.counter(options).inc({ kind: 'a' })
  metrics.counter(options).inc({ kind: 'a' }, 2)
  expect(await metrics.render()).toContain('ariftly_test_total{kind="a"} 3')
})

test('a gauge may be asked at the scrape', async () => {
  const metrics = createMetrics()
  let value = 1
  metrics.gauge({ name: 'ariftly_test_depth', help: 'Depth.', collect: (gauge) => gauge.set(value) })
  value = 7
  expect(await metrics.render()).toContain('ariftly_test_depth 7')
})

test('a counter may take its total at the scrape', async () => {
  const metrics = createMetrics()
  let ended = [{ labels: { why: 'client' }, value: 2 }]
  metrics.counter({ name: 'ariftly_test_ended_total', help: 'Ends.', labels: ['why'], total: () => ended })
  expect(await metrics.render()).toContain('ariftly_test_ended_total{why="client"} 2')
  ended = [{ labels: { why: 'client' }, value: 5 }]
  expect(await metrics.render()).toContain('ariftly_test_ended_total{why="client"} 5')
})

test('of a process, no gauge is named like a counter', async () => {
  const text = await createMetrics({ process: true }).render()
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  expect(types.filter(([, name = '', type]) => name.endsWith('_total') && type !== 'counter')).toEqual([])
  expect(types.map(([, name]) => name)).toEqual(
    expect.arrayContaining([
      'ariftly_process_resident_memory_bytes',
      'ariftly_nodejs_eventloop_lag_p99_seconds',
      'ariftly_nodejs_gc_duration_seconds',
    ]),
  )
})

test('a name outside ariftly_… and a second kind under one name are refused', () => {
  const metrics = createMetrics()
  expect(() => metrics.counter({ name: 'tests_total', help: '' })).toThrow(TypeError)
  metrics.counter({ name: 'ariftly_x_total', help: 'x' })
  expect(() => metrics.gauge({ name: 'ariftly_x_total', help: 'x' })).toThrow(TypeError)
})
