import { spawnSync } from 'node:child_process'
import { describe, expect, test } from '@jest/globals'
import { readPage } from '../docs/markdown.ts'
import { metricsOf, PROMETHEUS, readAlerts, readDashboards, readQueries } from './telemetry-files.ts'

describe('deploy/prometheus/alerts.yml', () => {
  const alerts = readAlerts()

  test.each(alerts)('has a runbook for $alert, and says how bad it is', ({ alert, labels, annotations }) => {
    expect(['critical', 'warning', 'info']).toContain(labels.severity)
    expect(annotations.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`)
    expect(readPage('docs/operations.md')).toMatch(new RegExp(`^### ${alert}$`, 'm'))
  })

  test('has an alert for each runbook', () => {
    const runbooks = [...readPage('docs/operations.md').matchAll(/^### (Events\w+)$/gm)].map(([, name = '']) => name)
    expect(runbooks.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted())
  })

  // Prometheus's own tool is no npm package: continuous integration installs it and sets REQUIRE_TOOLS.
  test('passes the unit tests of its rules (promtool)', () => {
    const { error, status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'alerts.test.yml'], {
      cwd: PROMETHEUS,
      encoding: 'utf8',
    })
    if (error !== undefined) expect(process.env['REQUIRE_TOOLS'] ?? 'not asked for').toBe('not asked for')
    else expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' })
  })
})

describe('deploy/grafana', () => {
  const dashboards = readDashboards()

  test('has dashboards and panels under ids of their own', () => {
    expect(dashboards.length).toBeGreaterThanOrEqual(4)
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(dashboards.length)
    for (const { panels } of dashboards) expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  })

  test('asks for a metric in every query', () => {
    const without = readQueries().filter(({ expr }) => metricsOf(expr).length === 0)
    expect(without.map(({ place }) => place)).toEqual(['EventsServiceDown', 'EventsServiceAbsent'])
  })
})
