import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { chromium, type Browser, type Page } from 'playwright-core'
import { CHROMIUM_ARGS, findChromium } from '../support/find-chromium.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { openConsole, signIn, violationsOf } from './open-console.ts'

let system: Standalone
let browser: Browser
/** Of all scopes. */
let operator: string

beforeAll(async () => {
  ;[system, browser] = await Promise.all([
    startStandalone(),
    chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGS }),
  ])
  operator = await system.apiKeyOf('default', ['events:write', 'events:read', 'webhooks', 'admin', 'platform'])
})

afterAll(async () => {
  await browser?.close()
  await system?.close()
})

/** Changes a key as an operator does, and gives the answer. */
async function change(key: string, method: string, action = '', body?: object): Promise<{ readonly key?: string }> {
  const authorization = { authorization: `Bearer ${key}` }
  const own = (await (await system.request('/v1/api-keys/current', { headers: authorization })).json()) as {
    id: string
  }
  const headers = { authorization: `Bearer ${operator}`, 'content-type': 'application/json' }
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }
  const answer = await system.request(`/v1/api-keys/${own.id}${action}`, init)
  expect(answer.ok).toBe(true)
  return answer.status === 204 ? {} : ((await answer.json()) as { readonly key?: string })
}

/** How a key ends, and the one that the person has then. */
const ENDS: readonly (readonly [how: string, end: (key: string) => Promise<string>])[] = [
  ['revoked', async (key) => await change(key, 'DELETE').then(() => operator)],
  ['rotated', async (key) => (await change(key, 'POST', '/rotate', { overlap_hours: 0 })).key ?? ''],
  [
    'expired',
    async (key) =>
      await change(key, 'PATCH', '', { expires_at: new Date(Date.now() + 1_000).toISOString() }).then(() => operator),
  ],
]

test.each(ENDS)('a key that is %s is asked for by each open page, and the place is kept', async (_how, end) => {
  const key = await system.apiKeyOf('default', ['events:read', 'webhooks'])
  const open = async (fragment: string) => (await openConsole(browser, { url: system.url, apiKey: key, fragment })).page
  const [list, live] = await Promise.all([open('/events?task_id=task_kept'), open('/live?task_id=task_kept')])
  await Promise.all([list.getByText('No event fits.').waitFor(), live.locator('.status-live').waitFor()])
  const next = await end(key)
  const asked = 'was revoked, rotated or has expired'
  await live.getByText(asked).waitFor()
  expect(await live.getByRole('navigation').count()).toBe(0)
  await eventually('the page asks for another key', async () => {
    // It takes up to a second until every process knows.
    await list
      .getByRole('button', { name: 'Load again' })
      .click({ timeout: 1_000 })
      .catch(() => undefined)
    return (await list.getByText(asked).count()) > 0
  })
  expect(await violationsOf(list)).toEqual([])
  await Promise.all([signIn(list, next), signIn(live, next)])
  await Promise.all([list.getByText('No event fits.').waitFor(), live.locator('.status-live').waitFor()])
  for (const page of [list, live]) {
    expect(page.url()).toContain('task_id=task_kept')
    await page.context().close()
  }
})

/** Whether a page holds a text outside its memory. */
function isKept(text: string): string {
  const stores = '[document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href]'
  return `${stores}.some((each) => each.includes(${JSON.stringify(text)}))`
}

/** What a key of all scopes reads that one of events alone may not. */
const PREVIOUS = {
  tenant: 'tenant-previous',
  url: 'https://previous.example.com/hook',
  webhook: 'webhook of the previous',
  key: 'key of the previous',
  change: 'webhook.create',
} as const

/** What of it a page holds, in its text, fields or title. */
async function previousIn(page: Page): Promise<readonly string[]> {
  const text = await page.evaluate<string>(
    `[document.title, document.documentElement.textContent, ...[...document.querySelectorAll('input')].map(({ value }) => value)].join(' ')`,
  )
  return Object.values(PREVIOUS).filter((each) => text.includes(each))
}

async function makePrevious(): Promise<{ readonly webhook: string; readonly event: string }> {
  const headers = { authorization: `Bearer ${operator}`, 'content-type': 'application/json' }
  const write = async (method: string, path: string, body: object) => {
    const answer = await system.request(path, { method, headers, body: JSON.stringify(body) })
    expect(answer.ok).toBe(true)
    return (await answer.json()) as { readonly id: string }
  }
  await write('PUT', `/v1/tenants/${PREVIOUS.tenant}`, { limits: { webhooks: 3 } })
  await write('POST', '/v1/api-keys', { name: PREVIOUS.key, scopes: ['events:read'] })
  const { id: webhook } = await write('POST', '/v1/webhooks', {
    url: PREVIOUS.url,
    description: PREVIOUS.webhook,
    events: ['*'],
  })
  const event = '{"type":"task.created","task_id":"task_previous","data":{"title":"a"}}'
  const { data } = (await system.post('/v1/events', event, 202)) as { data: readonly { id: string }[] }
  const id = data[0]?.id ?? ''
  await eventually('the event is listed', async () => (await system.request(`/v1/events/${id}`)).status === 200)
  return { webhook, event: id }
}

test('a key sees nothing that the key before it in the same tab read, and leaves no request behind', async () => {
  const [{ webhook, event }, reader] = await Promise.all([makePrevious(), system.apiKeyOf('default', ['events:read'])])
  const { page, go, complaints } = await openConsole(browser, { url: system.url, apiKey: operator })
  for (const [fragment, shown] of [
    [`/events/${event}`, 'As posted'],
    ['/audit', PREVIOUS.change],
    ['/tenants', PREVIOUS.tenant],
    ['/webhooks', PREVIOUS.webhook],
    [`/webhooks/${webhook}`, PREVIOUS.url],
    ['/keys', PREVIOUS.key],
  ] as const) {
    await go(fragment)
    await page.getByText(shown).first().waitFor()
  }
  const cached = { cache: 'only-if-cached', mode: 'same-origin', headers: { authorization: `Bearer ${operator}` } }
  const readCached = `fetch('/v1/events/${event}', ${JSON.stringify(cached)}).then(({ ok }) => ok, () => false)`
  expect(await page.evaluate(readCached)).toBe(false)
  // A change whose answer does not come before the key is forgotten.
  await page.route('**/v1/api-keys', async (route) => {
    if (route.request().method() === 'GET') await route.continue()
  })
  await page.getByRole('button', { name: 'New key' }).click()
  await page.getByLabel('Name').fill('late')
  const sent = page.waitForRequest((request) => request.method() === 'POST')
  await page.getByRole('button', { name: 'Make it' }).click()
  const late = await sent
  await page.keyboard.press('Escape')
  await go(`/webhooks/${webhook}`)
  await eventually('the tab is named by the webhook', async () => (await page.title()).includes(PREVIOUS.webhook))
  const failed = page.waitForEvent('requestfailed', { predicate: (request) => request === late, timeout: 5_000 })
  await page.getByRole('button', { name: 'Forget the key' }).click()
  await page.getByRole('heading', { name: 'Ariftly console' }).waitFor()
  await failed
  expect(await previousIn(page)).toEqual([])
  expect(page.url()).not.toContain(webhook)
  await signIn(page, reader)
  for (const fragment of ['/keys', '/audit', '/tenants', '/webhooks', `/webhooks/${webhook}`, '/system']) {
    await go(fragment)
    await page.getByRole('alert').getByText('scope', { exact: false }).first().waitFor()
    expect({ fragment, previous: await previousIn(page) }).toEqual({ fragment, previous: [] })
  }
  expect(complaints).toEqual([])
  await page.context().close()
})

test('the key is kept for the next load only when that is asked for, and is nowhere but in the header', async () => {
  const { page, leaks } = await openConsole(browser, { url: system.url, apiKey: operator })
  expect(await page.evaluate(isKept(operator))).toBe(false)
  await page.reload()
  await page.getByLabel('Keep it until', { exact: false }).check()
  await page.getByLabel('API key').focus()
  await signIn(page, operator)
  await page.reload()
  await page.getByRole('navigation', { name: 'Pages' }).waitFor()
  await page.getByRole('button', { name: 'Forget the key' }).click()
  await page.getByRole('heading', { name: 'Ariftly console' }).waitFor()
  expect(await page.evaluate(isKept(operator))).toBe(false)
  expect(leaks).toEqual([])
  await page.context().close()
})

test('a key sees the pages that it may use, and elsewhere which scope is missing', async () => {
  const reader = await system.apiKeyOf('default', ['events:read'])
  await system.post('/v1/events', '{"type":"task.created","task_id":"task_seen","data":{"title":"a"}}', 202)
  const { page, go } = await openConsole(browser, { url: system.url, apiKey: reader })
  const links = await page.getByRole('navigation', { name: 'Pages' }).getByRole('listitem').allTextContents()
  expect(links).toEqual(['Live', 'Events', 'Signature'])
  await go('/tasks/task_seen')
  await page.getByText('This key has no scope webhooks').waitFor()
  await go('/keys')
  await page.getByRole('alert').getByText('admin', { exact: false }).waitFor()
  await go('/system')
  await page.getByRole('alert').getByText('platform', { exact: false }).waitFor()
  await page.context().close()
})

test('two tenants in two tabs see their own events alone', async () => {
  const keys = await Promise.all(
    ['tenant-a', 'tenant-b'].map((id) => system.apiKeyOf(id, ['events:write', 'events:read'])),
  )
  const pages = await Promise.all(keys.map((apiKey) => openConsole(browser, { url: system.url, apiKey })))
  await Promise.all(pages.map(({ page }) => page.locator('.status-live').waitFor()))
  for (const [at, key] of keys.entries()) {
    const body = `{"type":"task.created","task_id":"task_of_${at}","data":{"title":"a"}}`
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    expect((await system.request('/v1/events', { method: 'POST', body, headers })).status).toBe(202)
  }
  for (const [at, { page }] of pages.entries()) {
    await page.getByRole('link', { name: `task_of_${at}` }).waitFor()
    expect(await page.getByRole('link', { name: `task_of_${1 - at}` }).count()).toBe(0)
    await page.context().close()
  }
})
