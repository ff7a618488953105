import { createBatcher, type Semaphore } from '@ariftly/async'
import type { Logger } from '@ariftly/runtime'
import type { Caller } from '@ariftly/http'
import type { ApiKeyRecord } from './api-key-record.ts'
import type { ApiKeyChange } from '@ariftly/store/api-keys'

/** Looks up keys that are not cached, many with one statement. */
export interface KeyLookups {
  /** The caller of a key by its name in the cache; undefined when it is no valid key. Rejects when the statement fails. */
  find(name: string): Promise<Caller | undefined>
  /** A change of the feed: a key that was read before it is read again. */
  onChange(change: ApiKeyChange): void
  /** Any key may have changed: running look-ups are repeated. */
  onReset(): void
  /** Names that wait or are looked up. */
  readonly size: number
}

interface KeyLookupsOptions {
  /** Finds the keys of names with one statement, in the order of the names. */
  readonly lookup: (names: readonly string[]) => Promise<readonly (ApiKeyRecord | undefined)[]>
  /** Called in the same event-loop tick in which a record is known to be no older than the last change read. */
  readonly settle: (name: string, record: ApiKeyRecord | undefined) => Caller | undefined
  /** Whether the start of the feed is known. */
  readonly isFeedStarted: () => boolean
  /** A permit for each statement, shared by all kinds of look-ups. */
  readonly statements: Semaphore
  readonly log: Pick<Logger, 'warn'>
}

const NAMES_PER_STATEMENT_MAX = 1000
const STATEMENTS_MAX = 2

/** Batches look-ups: those requested while statements run form the next one, so a caller waits for at most a running one and its own. */
export function createKeyLookups(o: KeyLookupsOptions): KeyLookups {
  /** For each running statement the keys and tenants that the feed has named since it began. No tenant has the name of a key. */
  const running = new Set<Set<string>>()
  let resets = 0
  const batches = createBatcher({ max: NAMES_PER_STATEMENT_MAX, concurrency: STATEMENTS_MAX, run: lookUp })

  async function find(name: string): Promise<Caller | undefined> {
    for (;;) {
      const outcome = await batches.add(name)
      if (outcome !== STALE) return outcome
    }
  }

  async function lookUp(names: readonly string[]): Promise<readonly (Caller | undefined | typeof STALE)[]> {
    await o.statements.acquire()
    const changed = new Set<string>()
    running.add(changed)
    try {
      const before = { resets, isStarted: o.isFeedStarted() }
      const records = await o.lookup(names)
      // A key read while the feed started may have a change from before the feed's start.
      const isFeedSame = resets === before.resets && o.isFeedStarted() === before.isStarted
      const isStale = ({ id, tenant }: ApiKeyRecord) => !isFeedSame || changed.has(id) || changed.has(tenant)
      return names.map((name, at) => {
        const record = records[at]
        return record !== undefined && isStale(record) ? STALE : o.settle(name, record)
      })
    } catch (error) {
      o.log.warn({ err: error, keys: names.length }, 'API keys cannot be looked up')
      throw error
    } finally {
      running.delete(changed)
      o.statements.release()
    }
  }

  function onChange(change: ApiKeyChange): void {
    for (const changed of running) changed.add('tenant' in change ? change.tenant : change.keyId)
  }

  function onReset(): void {
    resets += 1
  }

  return {
    find,
    onChange,
    onReset,
    get size() {
      return batches.size()
    },
  }
}

/** The record may be from before a change that was read meanwhile. */
const STALE = Symbol('stale')
