import { setTimeout as sleep } from 'node:timers/promises'
import { measureMainJob } from './end-to-end/main-job.ts'
import { cloneHead, type StartedProduct } from './system/checkout.ts'
import { PARTS, pidsOfParts, type PartName } from './system/parts.ts'
import { cpuSecondsOf, residentKbOf } from './support/process-usage.ts'
import type { Bench, Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

/** When the start is just over, and when V8 has also collected what it left, for which it takes up to a quarter of a second of processor time. */
const SETTLE_MS = bySize({
  full: { early: 15_000, late: 60_000 } as const,
  smallest: { early: 500, late: 1_000 } as const,
})
const WATCH_MS = bySize({ full: 30_000, smallest: 2_000 })

/**
 * The product as a new user starts it: HEAD is cloned, `npm start` installs, builds and starts it, and a second time
 * it only starts. Then: what all its processes use while nothing happens, and what it carries in the one process of
 * `npm start` (the bench `end-to-end` has a process for each service). What npm and the fetching of Kafka and Redis have
 * in their caches stays there.
 */
export const system: Bench = async (say) => {
  const checkout = cloneHead()
  let running: StartedProduct | undefined
  try {
    const first = await checkout.start()
    running = first
    say(`fresh: ${first.tookS.toFixed(1)} s`)
    const stopS = await first.interrupt()
    running = undefined
    say(`Ctrl-C: ${stopS.toFixed(1)} s`)
    const again = await checkout.start()
    running = again
    say(`again: ${again.tookS.toFixed(1)} s`)
    await sleep(SETTLE_MS.early)
    const early = await measureIdle(again.pid)
    await sleep(SETTLE_MS.late - SETTLE_MS.early - WATCH_MS)
    const soon = early.filter(({ name }) => name === 'idle_cpu_percent')
    const idle = [
      ...(await measureIdle(again.pid)),
      ...soon.map((each) => ({ ...each, name: 'idle_cpu_percent_after_start' })),
    ]
    say(idle.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', '))
    const { url, apiKey, databaseUrl } = again
    const job = await measureMainJob({ ingest: url, gateway: url, apiKey, databaseUrl }, say)
    return [
      { name: 'start_fresh_s', value: first.tookS, unit: 's' },
      { name: 'start_again_s', value: again.tookS, unit: 's' },
      { name: 'stop_s', value: stopS, unit: 's' },
      ...idle,
      ...job,
    ]
  } finally {
    await running?.interrupt()
    checkout.remove()
  }
}

/**
 * Processor time in percent of one core, by the kernel's accounting, and resident memory: shared pages count in each
 * process. What a connection's process of Postgres used that ended meanwhile is not counted.
 */
async function measureIdle(npmPid: number): Promise<readonly Measurement[]> {
  const startedMs = performance.now()
  const before = new Map(
    Object.values(pidsOfParts(npmPid)).flatMap((pids) => pids.map((pid) => [pid, cpuSecondsOf([pid])] as const)),
  )
  await sleep(WATCH_MS)
  const passedS = (performance.now() - startedMs) / 1000
  const pids = pidsOfParts(npmPid)
  const percent = (part: PartName) =>
    pids[part].reduce((sum, pid) => sum + cpuSecondsOf([pid]) - (before.get(pid) ?? 0), 0) * (100 / passedS)
  return [
    ...PARTS.map((part) => ({ name: `${prefixOf(part)}idle_cpu_percent`, value: percent(part), unit: '%' })),
    ...PARTS.map((part) => ({
      name: `${prefixOf(part)}idle_rss_mb`,
      value: residentKbOf(pids[part]) / 1024,
      unit: 'MiB',
    })),
  ]
}

/** Values of the services have no prefix; those of the other parts have their name. */
function prefixOf(part: PartName): string {
  return part === 'services' ? '' : `${part}_`
}
