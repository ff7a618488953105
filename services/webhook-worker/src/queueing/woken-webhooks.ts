/** Webhooks that are served together. */
export interface WokenSet {
  readonly ids: readonly string[]
  /** Their tenants; of a webhook whose tenant is not known its id. */
  readonly owners: ReadonlySet<string>
}

/** More are forgotten, and learnt again: a bound on memory, some 20 MB. */
const SEEN_MAX = 100_000

/** Findings of the last transaction for a webhook. */
interface Seen {
  readonly tenant: string
  /** Whether more was due than it had capacity for. */
  readonly isBehind: boolean
}

/** Webhooks that wait to be served. Several sets may be served at the same time; a tenant that is known is in one of them only. */
export class WokenWebhooks {
  readonly #woken = new Set<string>()
  readonly #seen = new Map<string, Seen>()
  readonly #taken = new Set<string>()

  get isEmpty(): boolean {
    return this.#woken.size === 0
  }

  has(webhookId: string): boolean {
    return this.#woken.has(webhookId)
  }

  add(webhookId: string): void {
    this.#woken.add(webhookId)
  }

  learn(webhookId: string, seen: Seen): void {
    if (this.#seen.size >= SEEN_MAX) this.#seen.clear()
    this.#seen.set(webhookId, seen)
  }

  /**
   * Takes up to `max` webhooks in the order in which they were woken, none of a tenant in a set that is not given back. With
   * `which: 'not_behind'` only webhooks that one transaction can serve completely, as far as is known. Undefined when there is none.
   */
  take(max: number, which: 'all' | 'not_behind' = 'all'): WokenSet | undefined {
    const ids: string[] = []
    const owners = new Set<string>()
    for (const id of this.#woken) {
      if (ids.length === max) break
      const seen = this.#seen.get(id)
      const owner = seen?.tenant ?? id
      if (this.#taken.has(owner) || (which === 'not_behind' && seen?.isBehind === true)) continue
      ids.push(id)
      owners.add(owner)
    }
    if (ids.length === 0) return undefined
    for (const id of ids) this.#woken.delete(id)
    for (const owner of owners) this.#taken.add(owner)
    return { ids, owners }
  }

  /** After a set was served: its tenants may be in the next set. */
  giveBack({ owners }: WokenSet): void {
    for (const owner of owners) this.#taken.delete(owner)
  }
}
