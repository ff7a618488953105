import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { chromium, type Browser } from 'playwright-core'
import { CHROMIUM_ARGS, findChromium } from '../support/find-chromium.ts'
import { startClientWorld, type ClientWorld } from './client-world.ts'

const EVENTS = 100

let clients: ClientWorld
let browser: Browser
let site: Server

beforeAll(async () => {
  const executablePath = findChromium()
  site = createServer((_req, res) => res.writeHead(200, { 'Content-Type': 'text/html' }).end('<title>A page</title>'))
  await new Promise<void>((resolve) => {
    site.listen(0, '127.0.0.1', resolve)
  })
  ;[clients, browser] = await Promise.all([
    startClientWorld({ CORS_ORIGINS: siteUrl() }),
    chromium.launch({ executablePath, args: CHROMIUM_ARGS }),
  ])
}, 300_000)

afterAll(async () => {
  await browser?.close()
  site?.close()
  await clients?.close()
})

function siteUrl(): string {
  return `http://127.0.0.1:${(site.address() as AddressInfo).port}`
}

test("a browser's own EventSource resumes over cuts, from another site, with a stream token", async () => {
  const { proxy, apiKey } = clients
  const answer = await fetch(`${proxy.url}/v1/stream-tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ task_id: 't-browser', ttl_s: 120 }),
  })
  const { token } = (await answer.json()) as { token: string }
  const numbers: number[] = []
  const page = await browser.newPage()
  await page.exposeFunction('shown', (data: string) => numbers.push(Number(/"n":(\d+)/.exec(data)?.[1])))
  await page.goto(siteUrl())
  const after = new Date(Date.now() - 1000).toISOString()
  await page.evaluate(script(`${proxy.url}/v1/events/stream?token=${token}&after=${after}`))
  await clients.play([{ numbers, close: () => undefined }], 't-browser', EVENTS)
  expect(numbers).toEqual(Array.from({ length: EVENTS }, (_, number) => number))
  expect(proxy.cuts).toBeGreaterThan(1)
  await page.close()
})

/** Runs in the page; a text, as a page has other globals than a test. As docs/streaming.md says: `EventSource` ends at a 503, and the page makes a new one. */
function script(url: string): string {
  return `
    const open = (last) => {
      const source = new EventSource(${JSON.stringify(url)} + (last === undefined ? '' : '&last_event_id=' + last))
      source.addEventListener('task.progress', (event) => {
        last = event.lastEventId
        shown(event.data)
      })
      source.addEventListener('error', () => {
        if (source.readyState === EventSource.CLOSED) setTimeout(() => open(last), 1000)
      })
    }
    open()`
}
