import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { readPage, ROOT } from '../docs/markdown.ts'
import { parseManifest } from './manifest.ts'
import { renderedFile } from './rendered.ts'
import { readRunbooks } from './runbooks.ts'
import { readAlerts } from './telemetry-files.ts'

const runbooks = readRunbooks()
const alerts = readAlerts()
const folder = mkdtempSync(join(tmpdir(), 'ariftly-runbooks-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('there is one runbook for each alert, in the same order, and the page lists them', () => {
  expect(runbooks.map(({ alert }) => alert)).toEqual(alerts.map(({ alert }) => alert))
  const listed = [...readPage('docs/operations/runbooks.md').matchAll(/\[(\w+)\]\(#(events\w+)\)/g)]
  const links = listed
    .filter(([, name = '', anchor]) => `events${name.toLowerCase()}` === anchor)
    .map(([, name]) => name)
  expect(links).toEqual(alerts.map(({ alert }) => alert.replace('Events', '')))
})

describe.each(runbooks)('the runbook of $alert', ({ alert, queries, threshold, commands, text }) => {
  const rule = alerts.find((one) => one.alert === alert)

  test('has the query, the severity and the duration of the rule', () => {
    expect(queries[0]).toBe(rule?.expr)
    const duration = rule?.for === '0m' ? 'at once' : `after ${rule?.for}`
    expect(threshold).toBe(`(\`${rule?.labels.severity}\`, ${duration})`)
  })

  test('says what it means, what to check first and when it is over', () => {
    expect(text).toMatch(/^\w+\n\n[A-Z].+\n\n```promql\n/)
    expect(text).toMatch(/^\*\*First check:\*\*\n\n- /m)
    expect(text).toMatch(/^\*\*Over\*\* when .+\.$/m)
  })

  test('has commands for compose and for Kubernetes, or one of the API', () => {
    const programs = new Set(commands.map((line) => line.split(' ')[0]))
    expect(programs.has('curl') || (programs.has('docker') && programs.has('kubectl'))).toBe(true)
  })
})

describe('the commands of the runbooks', () => {
  const lines = [...new Set(runbooks.flatMap(({ commands }) => commands))]

  test.each(lines)('%s: is read by a shell', (line) => {
    expect(spawnSync('bash', ['-n'], { input: line, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  })

  test('name services of docker-compose.yml', () => {
    const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
      services: object
    }
    const named = lines.flatMap((line) => namedInCompose(line) ?? [])
    expect(named.length).toBeGreaterThanOrEqual(10)
    expect(named.filter((name) => !Object.hasOwn(services, name))).toEqual([])
  })

  test('name objects of the overlay for production', () => {
    const objects = parseManifest(readFileSync(renderedFile('production'), 'utf8'))
    const kinds = { deploy: 'Deployment', hpa: 'HorizontalPodAutoscaler', scaledobject: 'ScaledObject' } as const
    const ours = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`))
    const named = lines
      .filter((line) => line.startsWith('kubectl -n ariftly '))
      .flatMap((line) => [...line.matchAll(/ (?:exec|logs|restart|patch) (deploy\/|hpa |scaledobject )([a-z-]+)/g)])
      .map(([, kind = '', name]) => `${kinds[kind.slice(0, -1) as keyof typeof kinds]}/${name}`)
    expect(named.length).toBeGreaterThanOrEqual(9)
    expect(named.filter((name) => !ours.has(name))).toEqual([])
  })
})

// Prometheus's own tool is no npm package: continuous integration installs it and sets REQUIRE_TOOLS.
test('promtool reads every query of the page', () => {
  const rules = runbooks.flatMap(({ alert, queries }) =>
    queries.map((expr, index) => ({ record: `runbook:${alert}:${index}`, expr })),
  )
  const file = join(folder, 'rules.yml')
  const check = (all: readonly object[]) => {
    writeFileSync(file, stringify({ groups: [{ name: 'runbooks', rules: all }] }))
    return spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
  }
  const { error, status, stdout, stderr } = check(rules)
  if (error !== undefined) {
    expect(process.env['REQUIRE_TOOLS'] ?? 'not asked for').toBe('not asked for')
    return
  }
  expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' })
  expect(check([{ record: 'broken', expr: 'sum(rate(x[5m])' }]).status).not.toBe(0)
})

/** The service that a command line of compose is about. */
function namedInCompose(line: string): string | undefined {
  const words = /^docker compose (?:exec|run|logs|restart) (.*)$/
    .exec(line)?.[1]
    ?.replaceAll(/--(?:since|tail) \S+/g, '')
  return words?.split(/\s+/).find((word) => word !== '' && !word.startsWith('-'))
}
