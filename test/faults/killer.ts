import { setTimeout as sleep } from 'node:timers/promises'
import type { Replica } from './fleet.ts'

/** One kill. `inFlight` is the unfinished work of the killed process, counted while it was stopped. */
export interface Kill {
  readonly service: string
  readonly name: string
  readonly atMs: number
  readonly inFlight: number
  /** How often the process was checked until it was found at work. */
  readonly checks: number
  readonly backAfterMs: number
}

/** Counts what a process has in flight; the process is stopped (SIGSTOP) while this runs. */
export type CountInFlight = (replica: Replica) => number | Promise<number>

/** When and how the killer strikes. All moments are drawn from `random`, whose seed the test prints. */
export interface KillerOptions {
  readonly replicas: readonly Replica[]
  readonly killsEach: number
  readonly random: () => number
  readonly inFlight: CountInFlight
  readonly pauseMs: { readonly min: number; readonly max: number }
  /** The longest time for which a process is watched for work before it is killed idle. */
  readonly watchMs: number
  readonly now: () => number
  readonly onKill?: (kill: Kill) => void
}

/**
 * Kills each replica `killsEach` times with SIGKILL in a shuffled order and starts it again each time. From its drawn moment on a
 * process is stopped, checked, and continued if it has nothing in flight; as soon as it has, it is killed.
 */
export async function runKiller(options: KillerOptions): Promise<readonly Kill[]> {
  const order = shuffle(
    options.replicas.flatMap((replica) => Array.from({ length: options.killsEach }, () => replica)),
    options.random,
  )
  const kills: Kill[] = []
  for (const replica of order) {
    await sleep(options.pauseMs.min + options.random() * (options.pauseMs.max - options.pauseMs.min))
    const kill = await killAtWork(replica, options)
    options.onKill?.(kill)
    kills.push(kill)
  }
  return kills
}

/** Between two checks whether a replica is at work. */
const CHECK_MS = { min: 2, max: 32 } as const

async function killAtWork(replica: Replica, options: KillerOptions): Promise<Kill> {
  const untilMs = options.now() + options.watchMs
  let inFlight = 0
  let checks = 0
  do {
    if (checks > 0) await sleep(CHECK_MS.min + options.random() * (CHECK_MS.max - CHECK_MS.min))
    inFlight = await countStopped(replica, options.inFlight)
    checks += 1
  } while (inFlight === 0 && options.now() < untilMs)
  const atMs = options.now()
  await replica.kill()
  await replica.restart()
  return { service: replica.service, name: replica.name, atMs, inFlight, checks, backAfterMs: options.now() - atMs }
}

/** Leaves the process stopped if it has something in flight, so that the kill finds exactly what was counted. */
async function countStopped(replica: Replica, count: CountInFlight): Promise<number> {
  replica.signal('SIGSTOP')
  const inFlight = await count(replica)
  if (inFlight === 0) replica.signal('SIGCONT')
  return inFlight
}

function shuffle<T>(list: readonly T[], random: () => number): readonly T[] {
  const keyed = list.map((entry) => ({ entry, key: random() }))
  return keyed.toSorted((a, b) => a.key - b.key).map(({ entry }) => entry)
}
