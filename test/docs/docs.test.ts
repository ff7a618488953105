import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GUIDES } from '@ariftly/api-documents'
import { describe, expect, test } from '@jest/globals'
import { sourceFiles } from '../code/source-files.ts'
import { isOnRouteTable, namedCalls } from './documented-routes.ts'
import { anchorsOf, codeSpans, headingLinks, pages, readPage, relativeLinks, ROOT } from './markdown.ts'

const PATH_SPAN = /^(?:(?:packages|services|dev|test|bench|docs|scripts)\/)[\w./-]+$/
const SCRIPTS = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

describe.each(pages())('%s', (page) => {
  const text = readPage(page)

  test('links only to what exists', () => {
    const broken = relativeLinks(text).filter((target) => !existsSync(join(ROOT, dirname(page), target)))
    expect(broken).toEqual([])
  })

  test('links only to headings that exist', () => {
    const broken = headingLinks(text).filter(({ path, anchor }) => {
      const target = path === '' ? page : join(dirname(page), path)
      return target.endsWith('.md') && !anchorsOf(readPage(target)).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  test('names only files and folders that exist', () => {
    const named = codeSpans(text).filter((span) => PATH_SPAN.test(span))
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('names only npm scripts that exist', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([a-z][a-z0-9:]*)/g)].map((match) => match[1] ?? '')
    expect(named.filter((name) => SCRIPTS.scripts[name] === undefined)).toEqual([])
  })

  test('names only calls that the route table has', () => {
    expect(namedCalls(text).filter((call) => !isOnRouteTable(call))).toEqual([])
  })
})

/** Guides to tools, which make the calls. */
const OF_TOOLS = ['docs/cli.md', 'docs/console.md']
const OF_CALLS = GUIDES.map(({ source }) => source).filter((source) => !OF_TOOLS.includes(source))

describe.each(OF_CALLS)('the guide %s', (page) => {
  const text = readPage(page)

  test('sets the address and the key in its first block', () => {
    const [first = ''] = [...text.matchAll(/^```\w*\n[^]*?^```$/gm)].map(([block]) => block)
    expect(first).toMatch(/^export ARIFTLY_URL=.+\nexport ARIFTLY_API_KEY=.+$/m)
  })

  test('calls no other address than that', () => {
    const lines = text.replaceAll(/\\\n\s*/g, ' ').split('\n')
    const calls = lines.filter((line) => /\bcurl |fetch\(|EventSource\(|baseUrl|Ariftly\(/.test(line))
    expect(calls.length).toBeGreaterThan(0)
    expect(calls.map((call) => call.split(' -d ')[0]).filter((call) => call?.includes('://'))).toEqual([])
    expect(text).not.toContain('api.ariftly.io')
    // Printed commands are pasted: example.com and below are reserved (RFC 2606).
    const printed = [...text.matchAll(/^```\w*\n[^]*?^```$/gm)].join('\n')
    const hosts = [...printed.matchAll(/https?:\/\/([\w.-]+)/g)].map(([, host = '']) => host)
    expect(hosts.filter((host) => !/^(?:localhost|(?:.+\.)?example\.com)$/.test(host))).toEqual([])
  })
})

describe('the check of named calls', () => {
  test.each([
    'Ask `GET /v1/webhooks/{id}/deliveries/{delivery}`.',
    'Ask `PUT /v1/webhooks/{id}`.',
    'and then `DELETE …/replay/{replay}`',
    'curl -X POST https://api.ariftly.io/v1/webhook -d "{}"',
    'curl https://api.ariftly.io/v1/webhooks/{id}/replay',
    'see /v1/event for more',
  ])('finds what is wrong with: %s', (text) => {
    expect(namedCalls(text).every(isOnRouteTable)).toBe(false)
  })

  test.each([
    'Ask `GET /v1/webhooks/{id}/deliveries`, or DELETE …/replays/{replay}.',
    'curl -X POST https://api.ariftly.io/v1/webhooks \\\n -d "{}"',
    'curl -N "$ARIFTLY_URL/v1/events/stream?task_id=t" and all of /v1/webhooks/',
  ])('accepts: %s', (text) => {
    expect(namedCalls(text)).not.toEqual([])
    expect(namedCalls(text).filter((call) => !isOnRouteTable(call))).toEqual([])
  })
})

test('docs/glossary.md names as code only what is in the code', () => {
  const words = new Set(sourceFiles().flatMap(({ text }) => text.match(/\w+/g) ?? []))
  const named = codeSpans(readPage('docs/glossary.md')).filter((span) => /^\w+$/.test(span))
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter((name) => !words.has(name))).toEqual([])
})

test('docs/fairness.md names only settings that services read', () => {
  const settings = new Set(settingsIn('docs/configuration.md'))
  const named = settingsIn('docs/fairness.md')
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((name) => !settings.has(name))).toEqual([])
})

/** Names of settings in code spans of a page. */
function settingsIn(page: string): readonly string[] {
  return codeSpans(readPage(page)).filter((span) => /^[A-Z]+(_[A-Z]+)+$/.test(span))
}
