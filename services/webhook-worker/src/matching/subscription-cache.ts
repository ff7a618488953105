import { withTransaction, type Pool } from '@ariftly/store'
import { readSubscriptions, readWebhooksVersion } from './read-subscriptions.ts'
import { SubscriptionIndex } from './subscription-index.ts'

/** The webhooks as of a version of `webhooks_version`, or newer. */
export interface CachedSubscriptions {
  readonly version: number
  readonly index: SubscriptionIndex
}

/** The webhooks of all tenants in memory. A reload reads only what has changed. */
export class SubscriptionCache {
  readonly #pool: Pool
  readonly #index = new SubscriptionIndex()
  #version: number | undefined
  #loading: Promise<unknown> = Promise.resolve()

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** What is known; undefined before the first load. */
  get current(): CachedSubscriptions | undefined {
    return this.#version === undefined ? undefined : { version: this.#version, index: this.#index }
  }

  /** Reads the changes, beginning after this call: all that was committed before it is known then. */
  async reload(): Promise<CachedSubscriptions> {
    const load = this.#loading.then(() => this.#load())
    this.#loading = load.catch(() => {})
    return await load
  }

  async #load(): Promise<CachedSubscriptions> {
    const since = this.#version
    const { version, changes } = await withTransaction(this.#pool, async (tx) => {
      // The version first: the list may then be newer than its number, and is read again, but never older.
      const number = await readWebhooksVersion(tx)
      return { version: number, changes: number === since ? [] : await readSubscriptions(tx, { since }) }
    })
    this.#index.apply(changes)
    this.#version = version
    return { version, index: this.#index }
  }
}
