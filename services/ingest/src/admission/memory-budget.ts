import { ByteBudget, type ByteShare } from '@ariftly/fairness'

/** Memory of a request without its body: node's request and answer, closures, its part in a lane. */
export const REQUEST_BYTES = 4096

/** The part of all memory that one tenant may hold, so that a flood of its own never keeps others out. */
const TENANT_SHARE = 0.5
/** The share that unfinished bodies may hold: complete ones always have room. */
const UNFINISHED_SHARE = 0.5
/** Divide by at least two, so a single tenant never gets more than half. */
const TENANTS_MIN = 2
/**
 * Bytes that arrive before a socket is paused are held beyond that share. When unfinished bodies hold this share of all
 * memory, a tenant at its limit is refused.
 */
const UNFINISHED_SHARE_MAX = 0.625
/** The shares that unread answers may hold, in total and of one tenant. */
const UNREAD_SHARE = { all: 0.25, tenant: 0.0625 } as const

/**
 * Bounds the bytes that requests hold, together and for each tenant. When it is full, requests are refused immediately; only
 * unfinished bodies wait.
 */
export class MemoryBudget {
  readonly #bytesMax: number
  /** Everything. */
  readonly #all: ByteBudget
  /** The part of it that unfinished bodies hold. */
  readonly #unfinished: ByteBudget
  /** The part of it that unread answers hold. */
  readonly #unread: ByteBudget
  /** By tenant the bodies that wait, oldest first, and what continues them. */
  readonly #waiting = new Map<string, Map<MemoryLease, () => void>>()
  /** For each tenant the one body that is still read although the bound is reached. */
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

  /** For {@link MemoryLease}: whether its body may continue; if not, whether the bytes received may be kept until `onRoom`. */
  roomFor(lease: MemoryLease, onRoom: () => void): 'go' | 'wait' | 'full' {
    if (this.#canContinue(lease)) {
      this.#letContinue(lease)
      return 'go'
    }
    const isFull = this.#unfinished.bytes > this.#bytesMax * UNFINISHED_SHARE_MAX && !this.#hasShare(lease.tenant)
    if (isFull) return 'full'
    const bodies = this.#waiting.get(lease.tenant)
    if (bodies === undefined) this.#waiting.set(lease.tenant, new Map([[lease, onRoom]]))
    else bodies.set(lease, onRoom)
    return 'wait'
  }

  /** For {@link MemoryLease}. */
  endBody(lease: MemoryLease): void {
    if (this.#exempt.get(lease.tenant) === lease) this.#exempt.delete(lease.tenant)
    this.#waiting.get(lease.tenant)?.delete(lease)
    for (const [tenant, bodies] of this.#waiting) {
      for (const [waiting, onRoom] of bodies) {
        // If this body must wait, so must the tenant's later ones. Stopping here keeps it linear when thousands end at once.
        if (!this.#canContinue(waiting)) break
        this.#letContinue(waiting)
        bodies.delete(waiting)
        onRoom()
      }
      if (bodies.size === 0) this.#waiting.delete(tenant)
    }
  }

  /** Whether there is room for more of a body, or it is, or may become, the exempt one of its tenant. */
  #canContinue(lease: MemoryLease): boolean {
    return this.#hasRoom(lease.tenant) || (this.#exempt.get(lease.tenant) ?? lease) === lease
  }

  /** A body that continues without room is from then on the exempt one of its tenant. */
  #letContinue(lease: MemoryLease): void {
    if (!this.#hasRoom(lease.tenant)) this.#exempt.set(lease.tenant, lease)
  }

  #hasRoom(tenant: string): boolean {
    return this.#unfinished.bytes <= this.#bytesMax * UNFINISHED_SHARE && this.#hasShare(tenant)
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
  /** Set while its body is unfinished. */
  #unfinished: ByteShare | undefined
  #unread: ByteShare | undefined

  /** For {@link MemoryBudget}. */
  constructor(budget: MemoryBudget, tenant: string, held: ByteShare) {
    this.#budget = budget
    this.tenant = tenant
    this.#held = held
  }

  /** Reserves `bytes` more for a complete body; false (and nothing reserved) if there is no room. */
  take(bytes: number): boolean {
    return this.#held.take(bytes)
  }

  /**
   * Counts received bytes of a body. `go`: read on; `wait`: pause the socket until `onRoom`; `full`: there is no room, refuse the
   * request.
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

  /** The body is complete and no longer counts as unfinished. */
  bodyEnded(): void {
    if (this.#unfinished === undefined) return
    this.#unfinished.close()
    this.#unfinished = undefined
    this.#budget.endBody(this)
  }

  /**
   * The answer is written and the body freed, but the client has not read `unsentBytes` of the answer. False when the connection
   * must be cut, as unread answers hold their maximum, or the lease is released, as the client has disconnected.
   */
  answered(unsentBytes: number): boolean {
    if (this.#held.isClosed) return false
    this.bodyEnded()
    const bytes = REQUEST_BYTES + unsentBytes
    this.#unread ??= this.#budget.openUnread(this.tenant)
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
