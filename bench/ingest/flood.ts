import { cpuSecondsOf } from '../support/process-usage.ts'
import { measurement, medians, type Measurement } from '../support/report.ts'
import type { LoadOrder, LoadResult } from './http-load.ts'
import { QUOTA_PER_S, type IngestSystem } from './system.ts'
import type { Worker } from './worker.ts'
import { bySize } from '../support/size.ts'

/** What posts, and to whom. */
export interface FloodRun {
  readonly system: IngestSystem
  readonly load: Worker
  readonly flood: Worker
  readonly bare: { readonly port: number }
}

/** Turns of a round. */
const TURNS = bySize({ full: 12, smallest: 1 })
/**
 * Length of a window: 0.75 s, about 300 posts of the neighbour. Shared machines stall for a tenth of a second every other second:
 * most windows this short have no stall, while each longer one has, and its p99 would be the stall's.
 */
const WINDOW = 0.15

/**
 * A tenant posts single events steadily while another one keeps to its quota, while it posts twenty times as much, and while it
 * posts as fast as it is answered. The twentyfold flood sent to an echo server shows the machine's share: it costs load and
 * server as much, and ingest nothing. The four alternate, and each ratio is of consecutive windows: the effect of a busy machine
 * cancels out, and one stall affects one round, not the median.
 */
export async function measureFlood(run: FloodRun, ms: number): Promise<readonly Measurement[]> {
  const turns: (readonly Measurement[])[] = []
  for (let turn = 0; turn < TURNS; turn += 1) turns.push(await floodTurn(run, ms * WINDOW))
  return medians(turns)
}

async function floodTurn({ system, load, flood, bare }: FloodRun, ms: number): Promise<readonly Measurement[]> {
  const { port } = system.ingest
  const steady: LoadOrder = { port, apiKey: system.apiKey, events: 1, connections: 20, everyMs: 50, ms }
  const others = { port, apiKey: system.limitedKey, events: 1, connections: 1, ms }

  /** The neighbour's result, the other one's, and the processor time of ingest meanwhile. */
  async function withOther(order: Partial<LoadOrder>): Promise<readonly [LoadResult, LoadResult, number]> {
    const beforeS = cpuSecondsOf([system.ingest.pid])
    const results = [load.ask<LoadResult>(steady), flood.ask<LoadResult>({ ...others, ...order })] as const
    const [neighbour, other] = await Promise.all(results)
    return [neighbour, other, cpuSecondsOf([system.ingest.pid]) - beforeS]
  }

  const [quiet, , quietS] = await withOther({ connections: 10, everyMs: 10_000 / QUOTA_PER_S })
  const twentyfold = { connections: 40, everyMs: 2000 / QUOTA_PER_S }
  const [flooded, flooder, floodS] = await withOther(twentyfold)
  const [drowned, drowner] = await withOther({ ...twentyfold, everyMs: 0 })
  // The flooder's bucket fills meanwhile, so that it is within its quota again in the next round.
  const [elsewhere] = await withOther({ ...twentyfold, port: bare.port })
  const refused = flooder.statuses['429']
  if (quiet.statuses['202'] === undefined || refused === undefined) throw new Error('no flood')
  return [
    measurement('neighbour_p99_ms', quiet.p99Ms, 'ms'),
    measurement('neighbour_p99_in_flood_ms', flooded.p99Ms, 'ms'),
    measurement('neighbour_p99_flood_elsewhere_ms', elsewhere.p99Ms, 'ms'),
    measurement('neighbour_p50_ms', quiet.p50Ms, 'ms'),
    measurement('neighbour_p50_in_flood_ms', flooded.p50Ms, 'ms'),
    measurement('neighbour_p99_in_full_flood_ms', drowned.p99Ms, 'ms'),
    measurement('flood_requests_per_s', flooder.requestsPerS, 'requests/s'),
    measurement('full_flood_requests_per_s', drowner.requestsPerS, 'requests/s'),
    measurement('refusal_cpu_us', ((floodS - quietS) * 1e6) / refused, 'us/request'),
    measurement('neighbour_p99_flood_vs_quiet', flooded.p99Ms / quiet.p99Ms, ''),
    measurement('neighbour_p99_full_flood_vs_quiet', drowned.p99Ms / quiet.p99Ms, ''),
    measurement('neighbour_p99_elsewhere_vs_quiet', elsewhere.p99Ms / quiet.p99Ms, ''),
    measurement('neighbour_p99_flood_vs_elsewhere', flooded.p99Ms / elsewhere.p99Ms, ''),
  ]
}
