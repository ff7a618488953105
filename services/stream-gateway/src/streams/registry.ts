import type { EpochReader } from '../epochs/epoch-reader.ts'
import type { Subscriber } from '../hub/subscriber.ts'

/** The open streams of the process, by key and by tenant, each with the epoch that it reads. */
export class StreamRegistry {
  /** Streams that were ended here, by why. */
  readonly ended = new Map<string, number>()
  readonly #epochs = new Map<Subscriber, EpochReader>()
  readonly #byKey = new Map<string, Set<Subscriber>>()
  readonly #perTenant = new Map<string, number>()

  get size(): number {
    return this.#epochs.size
  }

  all(): Iterable<Subscriber> {
    return this.#epochs.keys()
  }

  ofKey(keyId: string): ReadonlySet<Subscriber> {
    return this.#byKey.get(keyId) ?? NONE
  }

  /** How many streams a tenant has. */
  countOfTenant(tenant: string): number {
    return this.#perTenant.get(tenant) ?? 0
  }

  /** The epoch that a stream reads; undefined once it is removed. */
  epochOf(subscriber: Subscriber): EpochReader | undefined {
    return this.#epochs.get(subscriber)
  }

  add(subscriber: Subscriber, epochReader: EpochReader): void {
    this.#epochs.set(subscriber, epochReader)
    const ofKey = this.#byKey.get(subscriber.keyId)
    if (ofKey === undefined) this.#byKey.set(subscriber.keyId, new Set([subscriber]))
    else ofKey.add(subscriber)
    const { tenant } = subscriber.filter
    this.#perTenant.set(tenant, this.countOfTenant(tenant) + 1)
  }

  remove(subscriber: Subscriber): void {
    if (!this.#epochs.delete(subscriber)) return
    const ofKey = this.#byKey.get(subscriber.keyId)
    ofKey?.delete(subscriber)
    if (ofKey?.size === 0) this.#byKey.delete(subscriber.keyId)
    const { tenant } = subscriber.filter
    const count = this.countOfTenant(tenant) - 1
    if (count === 0) this.#perTenant.delete(tenant)
    else this.#perTenant.set(tenant, count)
  }

  countEnd(why: string): void {
    this.ended.set(why, (this.ended.get(why) ?? 0) + 1)
  }
}

const NONE: ReadonlySet<Subscriber> = new Set()
