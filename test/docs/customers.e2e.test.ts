import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { fencedBlocks, readPage } from './markdown.ts'

const PAGE = readPage('docs/customers.md')

let system: Standalone
/** What each section printed: the JSON answers, in order. */
const answers: (readonly Record<string, unknown>[])[] = []

beforeAll(async () => {
  system = await startStandalone({})
  const key = await system.apiKeyOf('default', ['events:write', 'events:read', 'webhooks', 'admin', 'platform'])
  const [first = '', ...sections] = PAGE.split(/^## (?=\d)/m)
  const functions = fencedBlocks(first, 'sh')
    .join('\n')
    .replaceAll(/^export .*$/gm, '')
  const script = sections.map((section) => `echo @@\n${fencedBlocks(section, 'sh').join('\n')}`)
  const { status, stdout, stderr } = spawnSync('bash', ['-eu', '-o', 'pipefail'], {
    input: [functions, ...script].join('\n'),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ARIFTLY_URL: system.url, ARIFTLY_API_KEY: key },
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  for (const part of stdout.split('@@\n').slice(1)) {
    const lines = part.split('\n').filter((line) => line.startsWith('{'))
    answers.push(lines.map((line) => JSON.parse(line) as Record<string, unknown>))
  }
})
afterAll(() => system?.close())

test('the commands of the guide set up a customer, and do what it says', () => {
  const [tenant, key, customer, support, changed, deleted] = answers
  expect(tenant).toMatchObject([{ object: 'tenant', id: 'acme', limits: { events_per_s: 200, webhooks: 10 } }])
  expect(key).toEqual([])
  expect(customer).toMatchObject([
    { object: 'api_key', tenant: 'acme', scopes: expect.not.arrayContaining(['platform']) },
    { data: [{ status: 'accepted' }] },
    { object: 'api_key', tenant: 'acme', name: 'agents' },
  ])
  const entries = (support?.[1]?.['data'] ?? []) as { action: string }[]
  const actions = entries.map(({ action }) => action)
  expect(actions.toSorted()).toEqual(['api_key.create', 'api_key.create', 'tenant.put'])
  expect(support).toMatchObject([
    { data: [{ name: 'agents' }, { name: 'Acme' }] },
    {},
    { tenant: 'acme', scopes: ['events:read'], expires_at: expect.any(String) },
  ])
  expect(changed).toMatchObject([{ state: 'suspended' }, { state: 'active' }])
  expect(deleted?.[0]).toMatchObject({ id: 'acme', state: 'deleting' })
})
