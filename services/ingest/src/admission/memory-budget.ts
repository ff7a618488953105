import { ByteBudget, type ByteShare } from '@ariftly/fairness'

/** The share of one request in the memory that all requests may hold. */
export interface MemoryLease {
  /** Asks for `bytes` more, for what is whole; false (and nothing taken) if there is no room. */
  take(bytes: number): boolean
  /**
   * Counts bytes of a body that arrived. `go`: more may come; `wait`: the socket is to be paused until `onRoom`; `full`: there is no room
   * at all, the request is to be refused.
   */
  arrived(bytes: number, onRoom: () => void): 'go' | 'wait' | 'full'
  /** The body is whole: it no longer counts as unfinished. */
  bodyEnded(): void
  /**
   * The answer is written and the body gone, but the client has not taken so many bytes of the answer. False when it is to be
   * cut, as answers that are not read hold all that they may.
   */
  answered(unsentBytes: number): boolean
  /** Gives back all that was taken. */
  release(): void
}

/** Bounds the bytes that requests hold, together and for each tenant. */
export interface MemoryBudget {
  /** Opens the lease of a request; `undefined` if there is no room for {@link REQUEST_BYTES}. */
  open(tenant: string): MemoryLease | undefined
  readonly usedBytes: number
}

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

/** Creates a budget of `bytesMax`. When it is full a request is refused at once; only bodies that are still coming wait. */
export function createMemoryBudget(bytesMax: number): MemoryBudget {
  const state = new BudgetState(bytesMax)
  return {
    open(tenant) {
      const lease = new Lease(state, tenant)
      if (lease.take(REQUEST_BYTES)) return lease
      lease.release()
      return undefined
    },
    get usedBytes() {
      return state.all.bytes
    },
  }
}

/** What all leases hold, and the bodies that wait, oldest first. */
class BudgetState {
  /** Everything. */
  readonly all: ByteBudget
  /** Of that, what has come of bodies that are not whole. */
  readonly unfinished: ByteBudget
  /** Of that, answers that are not read. */
  readonly unread: ByteBudget
  readonly #bytesMax: number
  readonly #waiting = new Map<Lease, () => void>()
  /** Of each tenant the one body that is still read although the bound is reached. */
  readonly #exempt = new Map<string, Lease>()

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.all = new ByteBudget({ bytesMax, tenantMax: (left) => Math.min(left, bytesMax * TENANT_SHARE) })
    this.unfinished = new ByteBudget({ bytesMax })
    this.unread = new ByteBudget({
      bytesMax: bytesMax * UNREAD_SHARE.all,
      tenantMax: (left) => Math.min(left, bytesMax * UNREAD_SHARE.tenant),
    })
  }

  /** Whether more of the lease's body may come. */
  mayGoOn(lease: Lease): boolean {
    const { tenant } = lease
    if (this.unfinished.bytes <= this.#bytesMax * UNFINISHED_SHARE && this.#hasShare(tenant)) return true
    if (!this.#exempt.has(tenant)) this.#exempt.set(tenant, lease)
    return this.#exempt.get(tenant) === lease
  }

  /** Whether what came beyond the part of unfinished bodies may be kept until its socket continues. */
  mayWait({ tenant }: Lease): boolean {
    return this.unfinished.bytes <= this.#bytesMax * UNFINISHED_SHARE_MAX || this.#hasShare(tenant)
  }

  #hasShare(tenant: string): boolean {
    const { unfinished } = this
    return unfinished.bytesOf(tenant) <= (this.#bytesMax * UNFINISHED_SHARE) / Math.max(TENANTS_MIN, unfinished.tenants)
  }

  wait(lease: Lease, onRoom: () => void): void {
    this.#waiting.set(lease, onRoom)
  }

  endBody(lease: Lease): void {
    if (this.#exempt.get(lease.tenant) === lease) this.#exempt.delete(lease.tenant)
    this.#waiting.delete(lease)
    for (const [waiting, onRoom] of this.#waiting) {
      if (!this.mayGoOn(waiting)) continue
      this.#waiting.delete(waiting)
      onRoom()
    }
  }
}

class Lease implements MemoryLease {
  readonly tenant: string
  readonly #state: BudgetState
  readonly #held: ByteShare
  /** While its body is not whole. */
  #unfinished: ByteShare | undefined
  #unread: ByteShare | undefined

  constructor(state: BudgetState, tenant: string) {
    this.#state = state
    this.tenant = tenant
    this.#held = state.all.open(tenant)
  }

  take(bytes: number): boolean {
    return this.#held.take(bytes)
  }

  arrived(bytes: number, onRoom: () => void): 'go' | 'wait' | 'full' {
    if (!this.take(bytes)) return 'full'
    const unfinished = (this.#unfinished ??= this.#state.unfinished.open(this.tenant))
    unfinished.set(unfinished.bytes + bytes)
    // What fits into the fixed part of a request is let in at any time.
    if (unfinished.bytes <= REQUEST_BYTES || this.#state.mayGoOn(this)) return 'go'
    if (!this.#state.mayWait(this)) {
      this.bodyEnded()
      this.#held.set(this.#held.bytes - bytes)
      return 'full'
    }
    this.#state.wait(this, onRoom)
    return 'wait'
  }

  bodyEnded(): void {
    if (this.#unfinished === undefined) return
    this.#unfinished.close()
    this.#unfinished = undefined
    this.#state.endBody(this)
  }

  answered(unsentBytes: number): boolean {
    this.bodyEnded()
    const bytes = REQUEST_BYTES + unsentBytes
    const unread = this.#state.unread.open(this.tenant)
    this.#unread = unread
    if (!unread.take(bytes)) return false
    this.#held.set(bytes)
    return true
  }

  release(): void {
    this.bodyEnded()
    this.#unread?.close()
    this.#held.close()
  }
}
