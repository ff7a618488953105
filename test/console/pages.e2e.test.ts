import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { chromium, type Browser } from 'playwright-core'
import { CHROMIUM_ARGS, findChromium } from '../support/find-chromium.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { openConsole, violationsOf, type ConsolePage } from './open-console.ts'

/** Changes the order of text, moves the cursor of a terminal, and is markup. */
const HOSTILE = '\u202egnp.exe \u001b[2J <img src=x onerror=alert(1)> javascript:alert(1)'
const TASK = 'task_console'
const ROOT = join(import.meta.dirname, '../..')

let system: Standalone
let browser: Browser
let receiver: Receiver
/** Of all scopes. */
let operator: string
let webhook: string
let eventId: string

beforeAll(async () => {
  ;[system, browser, receiver] = await Promise.all([
    startStandalone({
      WEBHOOK_ALLOW_HTTP: 'true',
      WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8',
      // After two attempts no delivery is sent within a test unless a person asks for it.
      WEBHOOK_RETRY_SCHEDULE_S: '0,3600,3600',
    }),
    chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGS }),
    startReceiver(),
  ])
  operator = await system.apiKeyOf('default', ['events:write', 'events:read', 'webhooks', 'admin', 'platform'])
  receiver.respondWith(() => ({ status: 500 }))
  const body = JSON.stringify({ url: receiver.url, events: ['*'], description: `Receiver ${HOSTILE}` })
  webhook = ((await system.post('/v1/webhooks', body, 201)) as { id: string }).id
  const posted = { type: 'task.progress', task_id: TASK, data: { message: HOSTILE, progress: 0.5 } }
  await eventually('the receiver has a request', async () => {
    const { data } = (await system.post('/v1/events', JSON.stringify(posted), 202)) as {
      data: readonly { id: string }[]
    }
    eventId = data[0]?.id ?? ''
    return receiver.requests.length > 0
  })
  await system.post(
    '/v1/events',
    `{"type":"task.progress","task_id":"${TASK}","data":{"message":"exact","progress":1.0,"count":9223372036854775808}}`,
    202,
  )
})

afterAll(async () => {
  await browser?.close()
  await receiver?.close()
  await system?.close()
})

/** Every page with what a person finds on it. */
const PAGES: readonly (readonly [fragment: () => string, expected: string])[] = [
  [() => '/live', 'Live'],
  [() => `/events?task_id=${TASK}`, TASK],
  [() => `/tasks/${TASK}`, "created (sender's clock)"],
  [() => '/webhooks', 'failing since'],
  [() => `/webhooks/${webhook}`, 'Statistics'],
  [() => '/webhooks/new', 'Deliveries a second at most'],
  [() => `/deliveries?webhook_id=${webhook}`, 'last: http_5xx'],
  [() => '/deliveries', 'Which deliveries?'],
  [() => '/signature', 'Body, byte for byte'],
  [() => '/keys', '(this one)'],
  [() => '/audit', 'webhook.create'],
  [() => '/tenants', 'No tenant was given limits'],
  [() => '/system', 'Largest backlogs'],
  [() => '/dead-letters', 'Every record of the log is an event'],
  [() => '/no-such-page', 'There is no page at this address'],
  [() => '/events/evt_01m8j5afsneeytcg7g4ctwgzar', 'not_found'],
]

function expectNoTrespass({ foreign, complaints, leaks }: ConsolePage): void {
  expect({ foreign, complaints, leaks }).toEqual({ foreign: [], complaints: [], leaks: [] })
}

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  test('each page shows what it is for, and assistive technology finds nothing wrong with it', async () => {
    const opened = await openConsole(browser, { url: system.url, apiKey: operator, theme })
    const { page, go } = opened
    for (const [fragment, expected] of PAGES) {
      await go(fragment())
      await page.getByText(expected, { exact: false }).first().waitFor()
      expect({ fragment: fragment(), violations: await violationsOf(page) }).toEqual({
        fragment: fragment(),
        violations: [],
      })
      // Controls and bidi characters of strangers are never in the document.
      expect(await page.evaluate(`/[\\u202e\\u001b]/.test(document.documentElement.textContent)`)).toBe(false)
      expect(await page.evaluate(`document.querySelectorAll('img').length`)).toBe(0)
    }
    for (const open of ['Rotate the secret …', 'Delete …', 'Send a test', 'Replay …', 'Send again by filter …']) {
      await go(`/webhooks/${webhook}`)
      await page.getByRole('button', { name: open }).click()
      await page.getByRole('dialog').waitFor()
      expect({ open, violations: await violationsOf(page) }).toEqual({ open, violations: [] })
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    expectNoTrespass(opened)
    await page.context().close()
  })
})

test('nothing is wider than a page of 360 pixels', async () => {
  const { page, go } = await openConsole(browser, { url: system.url, apiKey: operator, width: 360 })
  for (const [fragment, expected] of PAGES) {
    await go(fragment())
    await page.getByText(expected, { exact: false }).first().waitFor()
    const width = await page.evaluate<number>('document.documentElement.scrollWidth')
    expect({ fragment: fragment(), width }).toEqual({ fragment: fragment(), width: 360 })
  }
  await page.context().close()
})

test('an event is shown with its numbers as they were posted', async () => {
  const opened = await openConsole(browser, { url: system.url, apiKey: operator, fragment: `/tasks/${TASK}` })
  const { page } = opened
  await page.getByRole('link', { name: 'task.progress' }).last().click()
  await page.getByText('As posted').waitFor()
  const text = await page.locator('.json-branch').first().textContent()
  expect(text).toContain('progress: 1.0')
  expect(text).toContain('count: 9223372036854775808')
  expectNoTrespass(opened)
  await page.context().close()
})

test('a stranger finds why an event did not reach its receiver, and sends it again', async () => {
  receiver.respondWith(() => ({ status: 410 }))
  const body = JSON.stringify({ url: receiver.url, events: ['task.failed'] })
  const { id } = (await system.post('/v1/webhooks', body, 201)) as { id: string }
  const task = 'task_lost'
  const event = { type: 'task.failed', task_id: task, data: { error: { code: 'model_error', message: 'none' } } }
  await eventually('the webhook is disabled', async () => {
    await system.post('/v1/events', JSON.stringify(event), 202)
    const { enabled } = (await (await system.request(`/v1/webhooks/${id}`)).json()) as { enabled: boolean }
    return !enabled
  })
  receiver.respondWith(() => ({ status: 200 }))
  const opened = await openConsole(browser, { url: system.url, apiKey: operator, fragment: `/tasks/${task}` })
  const { page, go } = opened
  const delivery = page.locator('.delivery', { hasText: id }).filter({ hasText: 'http_4xx' }).first()
  await delivery.locator('summary').click()
  await delivery.getByText('410 http_4xx').waitFor()
  await delivery.getByRole('link', { name: id }).click()
  await page.getByText('disabled: the receiver answered 410').waitFor()
  await page.getByText('Settings').click()
  await page.getByLabel('Enabled').check()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  await go(`/deliveries?webhook_id=${id}&status=delivered`)
  await eventually('a delivery is shown', async () => {
    await page.getByRole('button', { name: 'Load again' }).click()
    return (await page.locator('.delivery').count()) > 0
  })
  const before = receiver.requests.length
  await page.getByRole('button', { name: 'Send again by filter …' }).click()
  await page.getByRole('button', { name: /^Send \d+ again$/ }).click()
  await page.getByText('completed').waitFor()
  await eventually('the event is sent again', () => receiver.requests.length > before)
  expectNoTrespass(opened)
  await page.context().close()
})

async function postWaiting(): Promise<string> {
  const event = '{"type":"task.complete","task_id":"task_waits","data":{"output":1}}'
  return ((await system.post('/v1/events', event, 202)) as { data: readonly [{ id: string }] }).data[0].id
}

/** Posts an event to a receiver that refuses it twice, after which it waits for an hour. Gives the query of its delivery. */
async function refusedTwice(refusing: Receiver, webhookId: string): Promise<string> {
  refusing.respondWith(() => ({ status: 500 }))
  const query = `webhook_id=${webhookId}&event_id=${await postWaiting()}`
  await eventually('the event was refused twice', async () => {
    const answer = await system.request(`/v1/deliveries?${query}`)
    const { data } = (await answer.json()) as { data: readonly { status: string; attempt_count: number }[] }
    return data[0]?.status === 'pending' && data[0].attempt_count === 2
  })
  return query
}

test('what waits for a repaired receiver is sent now: one delivery, and then all', async () => {
  const repaired = await startReceiver()
  const body = JSON.stringify({ url: repaired.url, events: ['task.complete'] })
  const { id } = (await system.post('/v1/webhooks', body, 201)) as { id: string }
  const isKnown = async () => {
    await postWaiting()
    return repaired.requests.length > 0
  }
  // Few events: after ten refusals the webhook would be probed only.
  await eventually('the webhook is known', isKnown, { everyMs: 500 })
  const fragment = `/deliveries?${await refusedTwice(repaired, id)}`
  const opened = await openConsole(browser, { url: system.url, apiKey: operator, fragment })
  const { page, go } = opened
  const row = page.locator('.delivery')
  await row.getByText('2 attempts, last: http_5xx (500), next ').waitFor()
  repaired.respondWith(() => ({ status: 200 }))
  await row.getByRole('button', { name: 'Send now' }).click()
  await row.getByText('delivered').waitFor()
  await row.locator('summary').click()
  await row.getByRole('link', { name: 'evt_', exact: false }).click()
  const line = page.getByRole('listitem').filter({ hasText: id })
  await line.getByRole('link', { name: 'dlv_', exact: false }).click()
  await row.getByRole('button', { name: 'Send again' }).waitFor()
  expect(await row.locator('tbody tr > :first-child').allTextContents()).toEqual(['3', '2', '1'])
  await refusedTwice(repaired, id)
  await go(`/webhooks/${id}`)
  const failing = page.locator('.note', { hasText: 'Pending deliveries wait' })
  await failing.waitFor()
  expect(await violationsOf(page)).toEqual([])
  await page.getByRole('button', { name: 'Send again by filter …' }).click()
  await page.getByLabel('Status of the deliveries').selectOption('pending')
  await page.getByText('deliveries will be sent now').waitFor()
  await page.keyboard.press('Escape')
  repaired.respondWith(() => ({ status: 200 }))
  await failing.getByRole('button', { name: 'Send now' }).click()
  await page.getByText('completed').waitFor()
  await eventually('nothing waits', async () => {
    const answer = await system.request(`/v1/webhooks/${id}`)
    return ((await answer.json()) as { pending_count: number }).pending_count === 0
  })
  expectNoTrespass(opened)
  await Promise.all([page.context().close(), repaired.close()])
})

test('the system shows how far the log is, which processes run, and which webhook has a backlog', async () => {
  receiver.respondWith(() => ({ status: 500 }))
  await system.post('/v1/events', `{"type":"task.created","task_id":"${TASK}","data":{"title":"a"}}`, 202)
  await eventually('a delivery is pending', async () => {
    const { pending_count: pending } = (await (await system.request(`/v1/webhooks/${webhook}`)).json()) as {
      pending_count: number
    }
    return pending > 0
  })
  const opened = await openConsole(browser, { url: system.url, apiKey: operator, fragment: '/system' })
  const { page } = opened
  const backlogs = page.getByRole('region', { name: 'Backlogs' })
  const row = backlogs.getByRole('row').filter({ hasText: webhook })
  await row.waitFor()
  expect(await row.textContent()).toContain('default')
  const answer = await system.request('/v1/system', { headers: { authorization: `Bearer ${operator}` } })
  const { log } = (await answer.json()) as { log: { epoch: number; partitions: readonly object[] } }
  await page.getByText(`epoch ${log.epoch} of `, { exact: false }).waitFor()
  const partitions = page.getByRole('region', { name: 'Partitions of the log' }).getByRole('row')
  expect(await partitions.count()).toBe(log.partitions.length + 1)
  await page.getByRole('region', { name: 'Processes' }).getByText('webhook-worker').waitFor()
  await row.getByRole('link').focus()
  await page.keyboard.press('Enter')
  await page.getByText('Statistics').waitFor()
  expectNoTrespass(opened)
  await page.context().close()
})

test('what the server refuses is shown at its field', async () => {
  const opened = await openConsole(browser, { url: system.url, apiKey: operator, fragment: '/webhooks/new' })
  const { page } = opened
  await page.getByLabel('Address').fill('ftp://example.com')
  await page.getByLabel('Filter (JSON)', { exact: false }).fill('{"data.progress": {"$near": 1}}')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.locator('.field', { hasText: 'Filter' }).locator('.field-error').waitFor()
  await page.locator('.field', { hasText: 'Address' }).locator('.field-error').waitFor()
  expect(await violationsOf(page)).toEqual([])
  await page.getByLabel('Filter (JSON)', { exact: false }).fill('{')
  await page.getByRole('button', { name: 'Create' }).click()
  await page.getByText('This is no JSON').waitFor()
  expectNoTrespass(opened)
  await page.context().close()
})

test('the command that a page shows is one that the command line takes', async () => {
  const { page, go } = await openConsole(browser, { url: system.url, apiKey: operator })
  const env = { PATH: process.env['PATH'], HOME: tmpdir(), ARIFTLY_URL: system.url, ARIFTLY_API_KEY: operator }
  for (const fragment of [
    `/events?task_id=${TASK}&types=task.progress&agent=a&after=2026-01-31T08:00:00Z&before=2026-02-01T08:00:00Z`,
    `/deliveries?webhook_id=${webhook}&task_id=${TASK}&status=failed&error_class=timeout&after=2026-01-31T08:00:00Z`,
    `/tasks/${TASK}`,
    `/events/${eventId}`,
    '/webhooks',
    '/keys',
    '/audit',
    '/tenants',
    '/system',
    '/dead-letters',
  ]) {
    await go(fragment)
    await page.getByRole('button', { name: 'Copy as …' }).click()
    const command = (await page.locator('pre[aria-label="CLI"]').textContent()) ?? ''
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const shell = `ariftly() { "${process.execPath}" packages/cli/dist/main.js "$@"; }; ${command}`
    const { stderr } = await promisify(execFile)('bash', ['-c', shell], { env, cwd: ROOT })
    expect({ command, stderr }).toEqual({ command, stderr: '' })
  }
  await page.context().close()
})
