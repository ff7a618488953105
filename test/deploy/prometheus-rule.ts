import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { ROOT } from '../docs/markdown.ts'
import { PROMETHEUS } from './telemetry-files.ts'

/** The rules as a resource of the Prometheus Operator. */
export const PROMETHEUS_RULE = join(ROOT, 'k8s/components/prometheus-operator/rules.yaml')

/** The content of {@link PROMETHEUS_RULE}, made from deploy/prometheus/alerts.yml. */
export function renderPrometheusRule(): string {
  const spec: unknown = parse(readFileSync(join(PROMETHEUS, 'alerts.yml'), 'utf8'))
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'ariftly-events' },
    spec,
  }
  return `# Made from deploy/prometheus/alerts.yml by \`npm run generate\`: do not edit.\n${stringify(rule, { lineWidth: 0 })}`
}
