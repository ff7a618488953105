import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { readPage, ROOT } from '../docs/markdown.ts'

/** An alert of deploy/prometheus/alerts.yml. */
export interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook_url: string }
}

/** A dashboard of deploy/grafana/dashboards. */
export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly targets: readonly { readonly expr: string }[]
  }[]
}

/** Where the rules are. */
export const PROMETHEUS = join(ROOT, 'deploy/prometheus')

/** Every alert. */
export function readAlerts(): readonly Alert[] {
  const { groups } = parse(readFileSync(join(PROMETHEUS, 'alerts.yml'), 'utf8')) as {
    groups: readonly { rules: readonly Alert[] }[]
  }
  return groups.flatMap(({ rules }) => rules)
}

/** Every dashboard. */
export function readDashboards(): readonly Dashboard[] {
  const folder = join(ROOT, 'deploy/grafana/dashboards')
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard)
}

/** Every query, with its file and position. */
export function readQueries(): readonly { readonly place: string; readonly expr: string }[] {
  const alerts = readAlerts().map(({ alert, expr }) => ({ place: alert, expr }))
  const panels = readDashboards().flatMap(({ uid, panels: all }) =>
    all.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ place: `${uid}: ${title}`, expr }))),
  )
  return [...alerts, ...panels]
}

/** The pages for operators, as one text. */
export function readOperationsPages(): string {
  const folder = 'docs/operations'
  return readdirSync(join(ROOT, folder))
    .map((name) => readPage(`${folder}/${name}`))
    .join('\n')
}

/** Names of our metrics in a query. */
export function metricsOf(expr: string): readonly string[] {
  return [...new Set(expr.match(/\bariftly_[a-z0-9_]+/g))]
}
