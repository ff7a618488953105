import { ByteBudget, type ByteShare } from '@ariftly/fairness'

/** What a request costs besides its body: node's request and answer, closures, its place in the batcher. */
export const REQUEST_BYTES = 4096

/** The part of all memory that one tenant may hold, so that a flood of its own never keeps others out. */
const TENANT_SHARE = 0.5
/** The part that unfinished bodies may hold: whole ones always find room beside them. */
const UNFINISHED_SHARE = 0.5
/** A tenant alone has so much of that part; more tenants have equal shares. */
const TENANTS_MIN = 2
/**
 * What came before its socket was paused is held beyond that part. Where unfinished bodies have so much of all memory, a tenant that has
 * its share is refused more.
 */
const UNFINISHED_SHARE_MAX = 0.625
/** The parts that answers which are not read may hold, all and those of one tenant. */
const UNREAD_SHARE = { all: 0.25, tenant: 0.0625 } as const

/**
 * Bounds the bytes that requests hold, together and for each tenant. When it is full a request is refused at once; only bodies that are
 * still coming wait.
 */
export class MemoryBudget {
  readonly #bytesMax: number
  /** Everything. */
  readonly #all: ByteBudget
  /** Of that, what has come of bodies that are not whole. */
  readonly #unfinished: ByteBudget
  /** Of that, answers that are not read. */
  readonly #unread: ByteBudget
  /** The bodies that wait, oldest first, and what continues them. */
  readonly #waiting = new Map<MemoryLease, () => void>()
  /** Of each tenant the one body that is still read although the bound is reached. */
  readonly #exempt = new Map<string, MemoryLease>()

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#all = new ByteBudget({ bytesMax, tenantMax: (left) => Math.min(left, bytesMax * TENANT_SHARE) })
    this.#unfinished = new ByteBudget({ bytesMax })
    this.#unread = new ByteBudget({
      bytesMax: bytesMax * UNREAD_SHARE.all,
      tenantMax: (left) => Math.min(left, bytesMax * UNREAD_SHARE.tenant),
    })
  }

  get usedBytes(): number {
    return this.#all.bytes
  }

  /** Opens the lease of a request; `undefined` if there is no room for {@link REQUEST_BYTES}. */
  open(tenant: string): MemoryLease | undefined {
    const held = this.#all.open(tenant)
    if (held.take(REQUEST_BYTES)) return new MemoryLease(this, tenant, held)
    held.close()
    return undefined
  }

  /** For {@link MemoryLease}. */
  openUnfinished(tenant: string): ByteShare {
    return this.#unfinished.open(tenant)
  }

  /** For {@link MemoryLease}. */
  openUnread(tenant: string): ByteShare {
    return this.#unread.open(tenant)
  }

  /** For {@link MemoryLease}: whether more of its body may come; if not, whether what has come beyond may be kept until `onRoom`. */
  roomFor(lease: MemoryLease, onRoom: () => void): 'go' | 'wait' | 'full' {
    if (this.#mayGoOn(lease)) return 'go'
    const isFull = this.#unfinished.bytes > this.#bytesMax * UNFINISHED_SHARE_MAX && !this.#hasShare(lease.tenant)
    if (isFull) return 'full'
    this.#waiting.set(lease, onRoom)
    return 'wait'
  }

  /** For {@link MemoryLease}. */
  endBody(lease: MemoryLease): void {
    if (this.#exempt.get(lease.tenant) === lease) this.#exempt.delete(lease.tenant)
    this.#waiting.delete(lease)
    for (const [waiting, onRoom] of this.#waiting) {
      if (!this.#mayGoOn(waiting)) continue
      this.#waiting.delete(waiting)
      onRoom()
    }
  }

  #mayGoOn(lease: MemoryLease): boolean {
    const { tenant } = lease
    if (this.#unfinished.bytes <= this.#bytesMax * UNFINISHED_SHARE && this.#hasShare(tenant)) return true
    if (!this.#exempt.has(tenant)) this.#exempt.set(tenant, lease)
    return this.#exempt.get(tenant) === lease
  }

  #hasShare(tenant: string): boolean {
    const shares = Math.max(TENANTS_MIN, this.#unfinished.tenants)
    return this.#unfinished.bytesOf(tenant) <= (this.#bytesMax * UNFINISHED_SHARE) / shares
  }
}

/** The share of one request in the memory that all requests may hold. */
export class MemoryLease {
  readonly tenant: string
  readonly #budget: MemoryBudget
  readonly #held: ByteShare
  /** While its body is not whole. */
  #unfinished: ByteShare | undefined
  #unread: ByteShare | undefined

  /** For {@link MemoryBudget}. */
  constructor(budget: MemoryBudget, tenant: string, held: ByteShare) {
    this.#budget = budget
    this.tenant = tenant
    this.#held = held
  }

  /** Asks for `bytes` more, for what is whole; false (and nothing taken) if there is no room. */
  take(bytes: number): boolean {
    return this.#held.take(bytes)
  }

  /**
   * Counts bytes of a body that arrived. `go`: more may come; `wait`: the socket is to be paused until `onRoom`; `full`: there is no room
   * at all, the request is to be refused.
   */
  arrived(bytes: number, onRoom: () => void): 'go' | 'wait' | 'full' {
    if (!this.take(bytes)) return 'full'
    const unfinished = (this.#unfinished ??= this.#budget.openUnfinished(this.tenant))
    unfinished.set(unfinished.bytes + bytes)
    // What fits into the fixed part of a request is let in at any time.
    const room = unfinished.bytes <= REQUEST_BYTES ? 'go' : this.#budget.roomFor(this, onRoom)
    if (room !== 'full') return room
    this.bodyEnded()
    this.#held.set(this.#held.bytes - bytes)
    return 'full'
  }

  /** The body is whole: it no longer counts as unfinished. */
  bodyEnded(): void {
    if (this.#unfinished === undefined) return
    this.#unfinished.close()
    this.#unfinished = undefined
    this.#budget.endBody(this)
  }

  /**
   * The answer is written and the body gone, but the client has not taken so many bytes of the answer. False when it is to be
   * cut, as answers that are not read hold all that they may.
   */
  answered(unsentBytes: number): boolean {
    this.bodyEnded()
    const bytes = REQUEST_BYTES + unsentBytes
    this.#unread = this.#budget.openUnread(this.tenant)
    if (!this.#unread.take(bytes)) return false
    this.#held.set(bytes)
    return true
  }

  /** Gives back all that was taken. */
  release(): void {
    this.bodyEnded()
    this.#unread?.close()
    this.#held.close()
  }
}
