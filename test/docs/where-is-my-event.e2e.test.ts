import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createPool } from '@ariftly/store'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { readRunbooks } from '../deploy/runbooks.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { fencedBlocks, readPage, ROOT } from './markdown.ts'

const PAGE = readPage('docs/operations/where-is-my-event.md')
const TENANT = 'acme'

let system: Standalone
let receiver: Receiver
/** What each section's blocks printed, by the number of the section. */
const printed = new Map<string, string>()

beforeAll(async () => {
  system = await startStandalone({ WEBHOOK_ALLOW_HTTP: 'true', WEBHOOK_ALLOW_CIDRS: '127.0.0.1/32' })
  receiver = await startReceiver()
  const tenantKey = await system.apiKeyOf(TENANT, ['events:write', 'events:read', 'webhooks'])
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${tenantKey}`, 'content-type': 'application/json' }
    return (await system.request(path, { method: 'POST', headers, body: JSON.stringify(body) })).json()
  }
  const webhook = (await post('/v1/webhooks', { url: receiver.url, events: ['*'] })) as { id: string }
  const { data } = (await post('/v1/events', { type: 'task.created', task_id: 'task_1', data: {} })) as {
    data: readonly { id: string }[]
  }
  await receiver.received(1)
  const values = {
    ARIFTLY_URL: system.url,
    ARIFTLY_API_KEY: await system.apiKeyOf('default', ['events:write', 'events:read', 'webhooks', 'admin', 'platform']),
    TENANT,
    EVENT: data[0]?.id ?? '',
    TASK: 'task_1',
    SINCE: new Date(Date.now() - 3_600_000).toISOString(),
    WEBHOOK: webhook.id,
  }
  runPage(values)
})
afterAll(async () => {
  await receiver?.close()
  await system?.close()
})

describe('the commands of docs/operations/where-is-my-event.md, one after the other in one shell', () => {
  test('compose and Kubernetes run the same operator commands, which print what the page reads', () => {
    const text = printed.get('2') ?? ''
    expect(text.match(/^total lag 0$/gm)).toHaveLength(2)
    expect(text).toContain('lag seconds')
    expect(text).toContain('"deliveries":{"pending_count":0,"due_count":0,"complete":true}')
    expect(printed.get('4')).toMatch(/^\d+ events compared, 0 differences$/m)
  })

  test('the event is shown with its way', () => {
    expect(answersOf('3')).toEqual([
      expect.objectContaining({
        log: { appended_at: expect.any(String), projected_at: expect.any(String) },
        deliveries: [expect.objectContaining({ status: 'delivered', attempt_count: 1, last_response_status: 200 })],
      }),
    ])
    expect(answersOf('4')).toEqual([
      expect.objectContaining({ data: [expect.objectContaining({ task_id: 'task_1' })] }),
      expect.objectContaining({ object: 'list', data: [] }),
    ])
  })

  test('the delivery is shown with its attempts', () => {
    const [webhook, stats, deliveries, redelivery] = answersOf('5')
    expect(webhook).toMatchObject({ enabled: true, disabled_reason: null, oldest_pending_at: null })
    expect(stats).toMatchObject({ object: 'webhook_stats', window: '1h' })
    expect(deliveries).toMatchObject({ data: [{ attempts: [{ status: 200, error: null }] }] })
    expect(redelivery).toMatchObject({ object: 'redelivery', dry_run: true })
  })

  test('a replay counts, a stream shows the time again, and the key is revoked', () => {
    expect(answersOf('6')[0]).toMatchObject({ object: 'replay', dry_run: true })
    expect(printed.get('6')).toContain('event: task.created\n')
    expect(printed.get('7')?.trim()).toBe('')
  })
})

test('Postgres answers the statements of the runbooks', async () => {
  const commands = readRunbooks().flatMap((runbook) => runbook.commands)
  const statements = new Set(commands.flatMap((line) => /psql .*-c "(.+)"$/.exec(line)?.[1] ?? []))
  expect(statements.size).toBeGreaterThanOrEqual(2)
  const pool = createPool({
    role: null,
    url: system.env['DATABASE_ADMIN_URL'] ?? '',
    applicationName: 'ariftly-test',
    max: 1,
  })
  try {
    for (const statement of statements) expect((await pool.query(statement)).command).toBe('SELECT')
  } finally {
    await pool.end()
  }
})

/** Runs the blocks, each with its output between marks. `values` replace the ones of the first block. */
function runPage(values: Readonly<Record<string, string>>): void {
  const sections = PAGE.split(/^## (?=\d)/m).slice(1)
  const script = sections.flatMap((section) => [
    `echo "@@ ${section[0]}"`,
    ...fencedBlocks(section, 'sh').map(runnable),
  ])
  const set = Object.entries(values).map(([name, value]) => `export ${name}='${value}'`)
  for (const name of Object.keys(values)) expect(script.join('\n')).toContain(`export ${name}=`)
  // The first block is the example of these.
  script.splice(1, 1, ...set)
  const { status, stdout, stderr } = spawnSync('bash', ['-e'], {
    cwd: ROOT,
    input: script.join('\n'),
    encoding: 'utf8',
    env: { ...system.env, PATH: process.env['PATH'] },
  })
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  for (const part of stdout.split('@@ ').slice(1)) printed.set(part.slice(0, 1), part.slice(2))
}

/** Without containers: what compose and kubectl start is the image's entry point, which is run here. A Job is left to test/deploy. */
function runnable(block: string): string {
  return block
    .replaceAll(/^kubectl -n ariftly create job .*$/gm, '')
    .replaceAll(/^kubectl -n ariftly exec deploy\/[\w-]+ -- /gm, '')
    .replaceAll(/^docker compose run --rm --no-deps [\w-]+ /gm, 'deploy/image/entrypoint.sh ')
    .replaceAll(/^(curl (?:.*\\\n)?.*)$/gm, '$1 && echo')
}

/** The lines of a section that are JSON. */
function answersOf(section: string): readonly object[] {
  const lines = (printed.get(section) ?? '').split('\n')
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as object)
}
