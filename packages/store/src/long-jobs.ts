import { backoffMs, type Poll, type PollOptions, sleep, startPoll } from '@ariftly/async'
import type { Pool } from './pool.ts'
import type { Queryable, Transaction } from './queryable.ts'
import { withTransaction } from './with-transaction.ts'

/**
 * One kind of long job: rows that any number of processes work off in slices, in turns of tenants. One transaction covers the
 * row and what its slice writes, so a process that dies in it has done nothing, and another one continues from the same place.
 */
export interface LongJobs<J extends { readonly tenant: string }, R> {
  readonly pool: Pool
  /** Whether a job waits for a slice, of this process or another: one cheap query without a lock. */
  any(db: Queryable): Promise<boolean>
  /** Locks the next job, of the tenant whose last turn was longest ago; undefined when others hold all, or none may continue yet. */
  lockNext(tx: Transaction): Promise<J | undefined>
  /** Makes a slice of that job and moves its row on. May run more than once, and changes nothing but the database. */
  makeSlice(tx: Transaction, job: J): Promise<R>
  /** Called when a slice has failed and is undone: takes the turn of the job, so that the jobs of other tenants are next. */
  passOn(job: J): Promise<void> | void
  /** Called after the commit. */
  madeSlice(slice: R, tookMs: number): SlicePause | Promise<SlicePause>
}

/** From what the runner makes the pause after a slice. */
interface SlicePause {
  /** Time of Postgres or of the thread that the slice took from others, ms; default 0. */
  readonly usedMs?: number
  /** Whether others have such work too at the moment; default true. */
  readonly isShared?: boolean
  /** The shortest pause, as there is nothing to do before; default 0. */
  readonly atLeastMs?: number
}

/** The pause as a multiple of the time that a slice took from others, while they need it and while they do not. */
const PAUSE_FACTOR = { shared: 3, alone: 0.5 } as const

const IDLE_MS = 1000
/** While there are jobs, of which none may continue here: others are tried soon, and all of them now and then. */
const BUSY_MS = { baseMs: 10, maxMs: 250 } as const

/** Carries out jobs of one kind, slice by slice, until the loop is ended; then the slice that is under way is the last one. */
export function runLongJobs<J extends { readonly tenant: string }, R>(
  jobs: LongJobs<J, R>,
  o: Pick<PollOptions, 'signal' | 'log' | 'failing'>,
): Poll {
  let busyRounds = 0
  return startPoll({ ...o, step, retryMs: backoffMs })

  /** Returns how long to wait for a job. */
  async function step(signal: AbortSignal): Promise<number> {
    // There is hardly ever a job: a transaction for it is a third of what an idle process does.
    if (!(await jobs.any(jobs.pool))) return IDLE_MS
    const startedMs = performance.now()
    const slice = await makeJobSlice(jobs)
    if (slice === undefined) return backoffMs(busyRounds++, BUSY_MS)
    busyRounds = 0
    await sleep(pauseMs(await jobs.madeSlice(slice, performance.now() - startedMs)), signal)
    return 0
  }
}

function pauseMs({ usedMs = 0, isShared = true, atLeastMs = 0 }: SlicePause): number {
  return Math.max(atLeastMs, usedMs * (isShared ? PAUSE_FACTOR.shared : PAUSE_FACTOR.alone))
}

/** Makes the next slice; undefined when there was none to make. Rejects when the slice fails, after its job was passed on. */
export async function makeJobSlice<J extends { readonly tenant: string }, R>(
  jobs: LongJobs<J, R>,
): Promise<R | undefined> {
  let job: J | undefined
  try {
    return await withTransaction(jobs.pool, async (tx) => {
      job = await jobs.lockNext(tx)
      return job === undefined ? undefined : await jobs.makeSlice(tx, job)
    })
  } catch (error) {
    if (job === undefined) throw error
    await jobs.passOn(job)
    throw new Error(`A slice of a job of tenant ${job.tenant} failed.`, { cause: error })
  }
}
