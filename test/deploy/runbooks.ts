import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fencedBlocks, readPage } from '../docs/markdown.ts'
import { PROMETHEUS } from './telemetry-files.ts'

/** One section of docs/operations/runbooks.md. */
export interface Runbook {
  readonly alert: string
  /** In the order of the page: the alert's own is first. */
  readonly queries: readonly string[]
  /** Severity and duration as the page says them: ``(`critical`, after 2m)``. */
  readonly threshold: string
  /** Command lines for compose, for Kubernetes and for the API. */
  readonly commands: readonly string[]
  readonly text: string
}

/** Every runbook of the page. */
export function readRunbooks(): readonly Runbook[] {
  const sections = readPage('docs/operations/runbooks.md').split(/^## /m).slice(1)
  return sections
    .filter((text) => text.startsWith('Events'))
    .map((text) => ({
      alert: /^\w+/.exec(text)?.[0] ?? '',
      queries: fencedBlocks(text, 'promql').map((query) => query.trim()),
      threshold: /^\*\*Threshold\*\* (\(.+?\)):/m.exec(text)?.[1] ?? '',
      commands: fencedBlocks(text, 'sh').flatMap((block) => block.trim().split('\n')),
      text,
    }))
}

/** Where the runbooks are published: the one line of deploy/prometheus/runbooks-url. */
export function readRunbooksUrl(): string {
  return readFileSync(join(PROMETHEUS, 'runbooks-url'), 'utf8').trim()
}

/** The rules, or their unit tests, with each `runbook_url` below the address of {@link readRunbooksUrl}. */
export function withRunbookUrls(rules: string): string {
  return rules.replaceAll(/(runbook_url: )\S+#(\w+)/g, `$1${readRunbooksUrl()}#$2`)
}
