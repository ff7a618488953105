import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { chromium, type CDPSession, type Page } from 'playwright-core'
import { API_KEY, startBenchStack } from './support/bench-stack.ts'
import type { Bench, Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const SECONDS = bySize({ full: 60, smallest: 3 })
const EVENTS_PER_S = 500
const BATCHES_PER_S = 10
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium'
const ASSETS = join(import.meta.dirname, '../packages/console/dist/app/assets')

/**
 * The live view at 500 events a second: main-thread time (compared with a bare page that reads the same stream and writes its
 * newest line), the longest task, the size of the scripts, and the heap of the last third compared with the middle third, each
 * after a collection.
 */
export const consoleBench: Bench = async (say) =>
  await startBenchStack({ env: { LOG_LEVEL: 'warn' } }, async ({ start, close }) => {
    const system = await start('standalone')
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    try {
      const measured: Record<string, Watched> = {}
      for (const [name, open] of Object.entries({ console: openLive, plain: openPlain })) {
        const page = await browser.newPage()
        await open(page, system.url)
        const watched = await watch(page, system.url)
        say(`${name} ${JSON.stringify(watched)}`)
        measured[name] = watched
        await page.close()
      }
      const { console: ours, plain } = measured as Record<'console' | 'plain', Watched>
      return [
        { name: 'main_thread_vs_plain', value: ours.busyS / plain.busyS, unit: 'x' },
        { name: 'main_thread_percent', value: (100 * ours.busyS) / SECONDS, unit: '%' },
        { name: 'longest_task_ms', value: ours.longestTaskMs, unit: 'ms' },
        { name: 'heap_last_vs_middle', value: ours.heapLast / ours.heapMiddle, unit: 'x' },
        ...sizes(),
      ]
    } finally {
      await browser.close()
      await close()
    }
  })

interface Watched {
  readonly busyS: number
  readonly longestTaskMs: number
  readonly heapMiddle: number
  readonly heapLast: number
}

async function openLive(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/console`)
  await page.locator('input[name=key]').fill(API_KEY)
  await page.keyboard.press('Enter')
  await page.locator('.status-live').waitFor()
}

/** A document of the same origin; what runs in it is not bound by its policy. */
async function openPlain(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/robots.txt`)
  const script = `(async () => {
    const answer = await fetch('/v1/events/stream', { headers: { Authorization: 'Bearer ${API_KEY}' } })
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      for (const line of value.split('\\n')) if (line.startsWith('data:')) document.body.textContent = line
    }
  })()`
  await page.evaluate(`void ${script}`)
}

async function watch(page: Page, url: string): Promise<Watched> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable')
  await page.evaluate(`
    globalThis.longest = 0
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, duration)
    }).observe({ type: 'longtask' })`)
  const before = await busySeconds(session)
  const heaps: number[] = []
  for (let third = 0; third < 3; third += 1) {
    await post(url, SECONDS / 3)
    // Asked for at the end of each third; the time that it takes is the browser's, not the page's.
    heaps.push(await heapBytes(session))
  }
  const busyS = (await busySeconds(session)) - before
  const longestTaskMs = await page.evaluate<number>('globalThis.longest')
  const [, heapMiddle = 0, heapLast = 0] = heaps
  return { busyS, longestTaskMs, heapMiddle, heapLast }
}

async function busySeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0
}

async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage')
  return (await session.send('Runtime.getHeapUsage')).usedSize
}

async function post(url: string, seconds: number): Promise<void> {
  const count = EVENTS_PER_S / BATCHES_PER_S
  const startedMs = performance.now()
  for (let batch = 0; batch < seconds * BATCHES_PER_S; batch += 1) {
    const events = Array.from({ length: count }, (_, at) => ({
      type: 'task.progress',
      task_id: `task_${at}`,
      agent: 'bench',
      data: { message: `step ${batch}`, progress: 0.5 },
    }))
    const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' }
    const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) })
    await answer.arrayBuffer()
    await sleep(Math.max(0, startedMs + ((batch + 1) * 1000) / BATCHES_PER_S - performance.now()))
  }
}

/** Sizes of the scripts as sent. */
function sizes(): readonly Measurement[] {
  const scripts = readdirSync(ASSETS).filter((name) => name.endsWith('.js'))
  const kb = scripts.map((name) => ({ name, kb: gzipSync(readFileSync(join(ASSETS, name))).length / 1000 }))
  const first = kb.filter(({ name }) => name.startsWith('index-')).reduce((sum, each) => sum + each.kb, 0)
  const all = kb.reduce((sum, each) => sum + each.kb, 0)
  return [
    { name: 'script_first_page_gzip_kb', value: first, unit: 'kB' },
    { name: 'script_all_gzip_kb', value: all, unit: 'kB' },
  ]
}
