import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { chromium, type Browser, type Page } from 'playwright-core'
import { CHROMIUM_ARGS, findChromium } from '../support/find-chromium.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { openConsole } from './open-console.ts'

const EVENTS = 10_000
const BATCH = 1_000
const PAGE = 100
const TASK = 'task_long'

let system: Standalone
let browser: Browser

beforeAll(async () => {
  ;[system, browser] = await Promise.all([
    startStandalone(),
    chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGS }),
  ])
})

afterAll(async () => {
  await browser?.close()
  await system?.close()
})

async function post(events: readonly object[]): Promise<readonly string[]> {
  const { data } = (await system.post('/v1/events', JSON.stringify(events), 202)) as { data: readonly { id: string }[] }
  return data.map(({ id }) => id)
}

const progress = (number: number) => ({
  type: 'task.progress',
  task_id: TASK,
  data: { message: String(number), progress: 0.5 },
})

/** The ids of one page of the API, by its query. */
async function listed(query: string): Promise<readonly string[]> {
  const answer = await system.request(`/v1/events?task_id=${TASK}&limit=${PAGE}${query}`)
  return ((await answer.json()) as { data: readonly { id: string }[] }).data.map(({ id }) => id)
}

/** The ids of the events in the table, from the top. */
async function shown(page: Page): Promise<readonly string[]> {
  const hrefs = await page.evaluate<readonly string[]>(
    `[...document.querySelectorAll('tbody a[href*="#/events/"]')].map(({ href }) => href)`,
  )
  return hrefs.map((href) => href.slice(href.lastIndexOf('/') + 1))
}

test('a task of 10,000 events is read page by page from either end, and follows what is new', async () => {
  for (let from = 0; from < EVENTS; from += BATCH) {
    await post(Array.from({ length: BATCH }, (_, at) => progress(from + at)))
  }
  const all: string[] = []
  await eventually('the last event is listed', async () => {
    const { data } = (await (
      await system.request(`/v1/events?task_id=${TASK}&limit=1&order=desc&include=log`)
    ).json()) as { data: readonly { data: { message: string } }[] }
    return data[0]?.data.message === String(EVENTS - 1)
  })
  const { page } = await openConsole(browser, {
    url: system.url,
    apiKey: system.apiKey,
    fragment: `/tasks/${TASK}`,
  })
  for (let number = 0; number < 3; number += 1) {
    await eventually('the next page of events', async () => {
      const ids = await shown(page)
      return ids.length === PAGE && !all.includes(ids[0] ?? '')
    })
    all.push(...(await shown(page)))
    await page.getByRole('button', { name: 'Newer' }).click()
  }
  const oldest = await system.request(`/v1/events?task_id=${TASK}&limit=300&order=asc`)
  expect(all).toEqual(((await oldest.json()) as { data: readonly { id: string }[] }).data.map(({ id }) => id))
  await page.getByRole('link', { name: 'Newest first' }).click()
  const newest = await listed('')
  await eventually('the newest events are shown', async () => (await shown(page))[0] === newest[0])
  expect(await shown(page)).toEqual(newest)
  await page.locator('.status-live').waitFor()
  const [last = ''] = await post([progress(EVENTS)])
  await eventually('the new event is shown', async () => (await shown(page))[0] === last)
  // However long the task is, the document holds one page.
  expect((await shown(page)).length).toBe(PAGE)
  await page.context().close()
})

test('a payload of 256 KiB is opened in parts, with all its characters and digits', async () => {
  const text = 'x'.repeat(200_000)
  const numbers = 12_000
  const { page, go } = await openConsole(browser, { url: system.url, apiKey: system.apiKey })
  await page.locator('.status-live').waitFor()
  const list = Array.from({ length: numbers }, () => '1.0').join(',')
  const data = `{"message":"large","progress":0.5,"text":"${text}","list":[${list}]}`
  expect(data.length).toBeGreaterThan(240 * 1_024)
  const event = `{"type":"task.progress","task_id":"task_large","data":${data}}`
  const accepted = (await system.post('/v1/events', event, 202)) as { data: readonly { id: string }[] }
  const id = accepted.data[0]?.id ?? ''
  const row = page.locator('.row', { has: page.locator(`[data-event="${id}"]`) })
  expect((await row.locator('.preview').textContent())?.length).toBe(240)
  await eventually('the event is listed', async () => (await system.request(`/v1/events/${id}`)).status === 200)
  await go(`/events/${id}`)
  await page.getByText('As posted').waitFor()
  const nodes = async () => await page.locator('.json-leaf, .json-branch').count()
  expect(await nodes()).toBeLessThan(30)
  const branch = page.locator('.json-branch', { hasText: `list: [ ${numbers} ]` }).last()
  await branch.locator('summary').click()
  await page.getByRole('button', { name: `${numbers - 100} more` }).click()
  await page.getByRole('button', { name: `${numbers - 200} more` }).waitFor()
  expect(await nodes()).toBeLessThan(240)
  expect(await branch.locator('.json-leaf').last().textContent()).toBe('199: 1.0')
  await page.getByRole('button', { name: `all ${text.length} characters` }).click()
  const whole = await page.locator('.json-string', { hasText: 'xxxx' }).textContent()
  expect(whole?.length).toBe(text.length + 2)
  await page.context().close()
})
