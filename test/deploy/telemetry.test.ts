import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readRunbooksUrl, withRunbookUrls } from './runbooks.ts'
import { metricsOf, PROMETHEUS, readAlerts, readDashboards, readQueries } from './telemetry-files.ts'

describe('deploy/prometheus/alerts.yml', () => {
  const alerts = readAlerts()

  test.each(alerts)('links the runbook of $alert, and says how bad it is', ({ alert, labels, annotations }) => {
    expect(['critical', 'warning', 'info']).toContain(labels.severity)
    expect(annotations.runbook_url).toBe(`${readRunbooksUrl()}#${alert.toLowerCase()}`)
  })

  test.each(['alerts.yml', 'alerts.test.yml'])(
    '%s has the address of runbooks-url (write it: npm run generate)',
    (name) => {
      const text = readFileSync(join(PROMETHEUS, name), 'utf8')
      expect(text).toBe(withRunbookUrls(text))
      expect(new URL(readRunbooksUrl()).protocol).toBe('https:')
    },
  )

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
