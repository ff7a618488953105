import { createPool, withTransaction } from '@ariftly/store'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  byForm,
  eventually,
  startCuttingProxy,
  startServiceProcess,
  type CuttingProxy,
  type ServiceProcess,
} from '@ariftly/testkit'
import { chromium, type Browser, type Page } from 'playwright-core'
import { CHROMIUM_ARGS, findChromium } from '../support/find-chromium.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { openConsole } from './open-console.ts'
import { startFront, type Front } from './start-front.ts'

const EVENTS = 2_000
const BATCH = 100
/** Of open streams; each takes the two seconds or so after which a client connects again. */
const CUTS = byForm({ short: 3, long: 10 })
/** The gateway is killed after this batch. */
const KILLED_AT = 10

let system: Standalone
let browser: Browser
/** Serves the streams of pages that connect through the proxy. */
let gateway: ServiceProcess
let front: Front
let proxy: CuttingProxy

beforeAll(async () => {
  ;[system, browser] = await Promise.all([
    startStandalone(),
    chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGS }),
  ])
  gateway = await startServiceProcess('stream-gateway', system.env)
  front = await startFront({ server: system.url, gateway: gateway.url })
  proxy = await startCuttingProxy({ host: '127.0.0.1', port: front.port })
})

afterAll(async () => {
  await browser?.close()
  await proxy?.close()
  await front?.close()
  gateway?.kill()
  await gateway?.exited
  await system?.close()
})

async function post(taskId: string, from: number, count: number): Promise<readonly string[]> {
  const events = Array.from({ length: count }, (_, at) => ({
    type: 'task.progress',
    task_id: taskId,
    data: { message: String(from + at), progress: 0.5 },
  }))
  const { data } = (await system.post('/v1/events', JSON.stringify(events), 202)) as { data: readonly { id: string }[] }
  return data.map(({ id }) => id)
}

/** The ids of all rows, by scrolling through them; rows whose first is at the top are the newest. */
async function idsByScrolling(page: Page): Promise<readonly string[]> {
  const script = `(async () => {
    const rows = document.querySelector('.rows')
    const ids = new Map()
    for (let top = 0; ; top += rows.clientHeight / 2) {
      rows.scrollTop = top
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
      for (const row of rows.querySelectorAll('.row')) {
        const id = row.querySelector('[data-event]')?.dataset.event ?? 'reset'
        ids.set(row.ariaPosInSet, id)
      }
      if (top + rows.clientHeight >= rows.scrollHeight) return [...ids.values()]
    }
  })()`
  return await page.evaluate<readonly string[]>(script)
}

/** The ids of all events of a task, as the API lists them once `count` are projected. */
async function idsOfApi(taskId: string, count: number): Promise<readonly string[]> {
  let ids: readonly string[] = []
  await eventually(`${count} events are listed`, async () => {
    ids = []
    for (let cursor = ''; ;) {
      const answer = await system.request(`/v1/events?task_id=${taskId}&limit=500${cursor}`)
      const page = (await answer.json()) as { data: readonly { id: string }[]; next_cursor: string | null }
      ids = [...ids, ...page.data.map(({ id }) => id)]
      if (page.next_cursor === null) return ids.length >= count
      cursor = `&cursor=${page.next_cursor}`
    }
  })
  return ids
}

test('over cuts and a killed gateway every event is in the view once, and a pause counts them exactly', async () => {
  const url = `http://127.0.0.1:${proxy.port}`
  const fragment = '/live?task_id=task_cut'
  const { page, complaints } = await openConsole(browser, { url, apiKey: system.apiKey, fragment })
  await page.locator('.status-live').waitFor()
  await post('task_cut', 0, BATCH)
  await page.getByText(`${BATCH} received`).waitFor()
  await page.keyboard.press('p')
  await page.getByText('Paused: 0 arrived').waitFor()
  for (let batch = 1; batch < EVENTS / BATCH; batch += 1) {
    await post('task_cut', batch * BATCH, BATCH)
    if (batch === KILLED_AT) {
      gateway.kill()
      await gateway.exited
      gateway = await startServiceProcess('stream-gateway', system.env, { port: gateway.port })
    } else if (batch % 2 === 1 && batch < 2 * CUTS) proxy.dropAll()
    // Each cut is of a stream that was open.
    await page.locator('.status-live').waitFor({ timeout: 60_000 })
  }
  await page.getByText(`Paused: ${EVENTS - BATCH} arrived`, { exact: true }).waitFor({ timeout: 60_000 })
  expect((await idsByScrolling(page)).length).toBe(BATCH)
  await page.keyboard.press('p')
  await page.getByText(`${EVENTS} received`).waitFor()
  const shown = await idsByScrolling(page)
  expect(shown.length).toBe(EVENTS)
  expect(shown.toSorted()).toEqual((await idsOfApi('task_cut', EVENTS)).toSorted())
  // What the browser says of a connection that is lost; all else is a fault of the page.
  expect(complaints.filter((text) => !/ERR_|Failed to fetch|network error/i.test(text))).toEqual([])
  await page.context().close()
})

test('while it is paused the view does not change, and what arrives is counted exactly', async () => {
  const { page } = await openConsole(browser, {
    url: system.url,
    apiKey: system.apiKey,
    fragment: '/live?task_id=task_paused',
  })
  await page.locator('.status-live').waitFor()
  await post('task_paused', 0, 50)
  await page.getByText('50 received').waitFor()
  await page.keyboard.press('p')
  await page.getByText('Paused: 0 arrived').waitFor()
  const before = await page.locator('.row').first().textContent()
  await post('task_paused', 50, 300)
  await page.getByText('Paused: 300 arrived').waitFor()
  expect(await page.locator('.row').first().textContent()).toBe(before)
  await page.keyboard.press('p')
  await page.getByText('350 received').waitFor()
  expect((await idsByScrolling(page)).length).toBe(350)
  await page.context().close()
})

test('an unavailable server is shown, and the rows stay', async () => {
  const url = `http://127.0.0.1:${proxy.port}`
  const fragment = '/live?task_id=task_offline'
  const { page } = await openConsole(browser, { url, apiKey: system.apiKey, fragment })
  await page.locator('.status-live').waitFor()
  const [id] = await post('task_offline', 0, 1)
  await page.locator(`[data-event="${id}"]`).waitFor()
  await proxy.refuse()
  await page.locator('.status-waiting').getByText('Waiting', { exact: false }).waitFor()
  expect(await page.locator(`[data-event="${id}"]`).count()).toBe(1)
  const [later] = await post('task_offline', 1, 1)
  await proxy.accept()
  await page.locator(`[data-event="${later}"]`).waitFor({ timeout: 60_000 })
  await eventually('the page is live', async () => (await page.locator('.status-live').count()) === 1)
  expect(await page.locator('.row').count()).toBe(2)
  await page.context().close()
})

test('the page of a task shows an event that is projected late', async () => {
  const [first] = await post('task_late', 0, 1)
  const { page } = await openConsole(browser, {
    url: system.url,
    apiKey: system.apiKey,
    fragment: '/tasks/task_late',
  })
  const isShown = async (id: string | undefined) => (await page.locator(`a[href$="/events/${id}"]`).count()) > 0
  await eventually('the first event is shown', async () => await isShown(first))
  await page.locator('.status-live').waitFor()
  const owner = createPool({ role: null, url: system.env['DATABASE_ADMIN_URL'] ?? '', applicationName: 'test', max: 1 })
  try {
    const [second] = await withTransaction(owner, async (tx) => {
      await tx.query('LOCK TABLE events IN SHARE MODE')
      const ids = await post('task_late', 1, 1)
      await page.waitForResponse((each) => new URL(each.url()).pathname === '/v1/events')
      expect(await isShown(ids[0])).toBe(false)
      return ids
    })
    await eventually('the second event is shown', async () => await isShown(second))
  } finally {
    await owner.end()
  }
  await page.context().close()
})

test('the pages are reached and left by keyboard alone', async () => {
  const operator = await system.apiKeyOf('default', ['events:read', 'webhooks', 'admin', 'platform'])
  const { page } = await openConsole(browser, { url: system.url, apiKey: operator })
  for (const [keys, heading] of [
    ['ge', 'Events'],
    ['gw', 'Webhooks'],
    ['gd', 'Deliveries'],
    ['gk', 'Keys'],
    ['gy', 'System'],
    ['gl', 'Live'],
  ] as const) {
    await page.keyboard.type(keys)
    await page.getByRole('heading', { level: 1, name: heading }).waitFor()
  }
  await page.keyboard.press('?')
  await page.getByRole('dialog', { name: 'Keys' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  // Every stop of the Tab key shows where it is.
  for (let stop = 0; stop < 25; stop += 1) {
    await page.keyboard.press('Tab')
    const outline = await page.evaluate<string>(
      `document.activeElement === document.body ? 'none needed' : getComputedStyle(document.activeElement).outlineStyle`,
    )
    expect(outline).not.toBe('none')
  }
  await page.context().close()
})
