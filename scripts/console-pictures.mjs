// `npm run pictures`: takes the pictures of docs/console.md from a running installation (`npm start`) whose address and key are in ARIFTLY_URL and
// ARIFTLY_API_KEY, with events that it posts, and a receiver on this machine that answers some of them with an error.
import { createServer } from 'node:http'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium } from 'playwright-core'
import { root } from './prepare.mjs'

const url = process.env.ARIFTLY_URL ?? 'http://127.0.0.1:8080'
const key = process.env.ARIFTLY_API_KEY ?? ''
const folder = join(root, 'docs/console')
const task = `task_contract_${Date.now() % 10_000}`

async function call(method, path, body) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`)
  return await answer.json()
}

async function postTask() {
  const steps = [
    ['task.created', { title: 'Read the contract' }],
    ['task.progress', { message: 'Reading page 3 of 12', progress: 0.25 }],
    ['tool_call.executed', { tool: 'search', type: 'function', duration_ms: 120 }],
    ['task.progress', { message: 'Comparing with the last version', progress: 0.75 }],
    ['task.complete', { output: { clauses: 14 } }],
  ]
  for (const [type, data] of steps) {
    await call('POST', '/v1/events', { type, task_id: task, agent: 'reader', data })
    await sleep(250)
  }
}

async function postOthers() {
  for (let round = 0; round < 25; round += 1) {
    const events = Array.from({ length: 1 + (round % 5) }, (_, at) => ({
      type: 'task.progress',
      task_id: `task_report_${at}`,
      agent: 'writer',
      data: { message: `Section ${round}`, progress: round / 25 },
    }))
    await call('POST', '/v1/events', events)
    await sleep(200)
  }
}

let requests = 0
const receiver = createServer((request, response) => {
  request.resume().on('end', () => {
    requests += 1
    response.writeHead(requests % 6 === 0 ? 503 : 200).end()
  })
})
await new Promise((resolve) => {
  receiver.listen(0, '127.0.0.1', resolve)
})
const webhook = await call('POST', '/v1/webhooks', {
  url: `http://127.0.0.1:${receiver.address().port}/billing`,
  events: ['*'],
  description: 'Billing',
})
await sleep(1_500) // Until the workers know of it.
await postTask()

mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
const page = await browser.newPage({ viewport: { width: 1_200, height: 720 }, colorScheme: 'light' })
await page.goto(`${url}/console`)
await page.locator('input[name=key]').fill(key)
await page.keyboard.press('Enter')
await page.locator('.status-live').waitFor()
await postOthers()
await page.screenshot({ path: join(folder, 'live.png') })
const { data } = await call('GET', `/v1/events?task_id=${task}&type=task.complete`)
const pages = {
  events: `/events`,
  event: `/events/${data[0].id}`,
  task: `/tasks/${task}`,
  webhook: `/webhooks/${webhook.id}`,
}
for (const [name, fragment] of Object.entries({
  ...pages,
  keys: '/keys',
  signature: '/signature',
  system: '/system',
})) {
  await page.goto(`${url}/console#${fragment}`)
  await page.locator('table, .json-branch, .bars, .form').first().waitFor()
  await sleep(700) // Until all parts of the page have answered.
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
await browser.close()
receiver.close()
