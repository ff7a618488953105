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

interface Tenant {
  readonly name: string
  used: number
  unfinished: number
  unread: number
  /** Its leases with an unfinished body. */
  bodies: number
  /** The one body that is still read although the bound is reached. */
  exempt: Lease | undefined
}

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
      return state.used
    },
  }
}

/** The sums of all leases, and the bodies that wait, oldest first. */
class BudgetState {
  readonly bytesMax: number
  readonly #tenants = new Map<string, Tenant>()
  readonly #waiting = new Map<Lease, () => void>()
  used = 0
  #unfinished = 0
  #unread = 0
  /** Tenants with an unfinished body. */
  #receiving = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  tenant(name: string): Tenant {
    let tenant = this.#tenants.get(name)
    if (tenant === undefined)
      this.#tenants.set(name, (tenant = { name, used: 0, unfinished: 0, unread: 0, bodies: 0, exempt: undefined }))
    return tenant
  }

  hasRoom(tenant: Tenant, bytes: number): boolean {
    return this.used + bytes <= this.bytesMax && tenant.used + bytes <= this.bytesMax * TENANT_SHARE
  }

  add(tenant: Tenant, bytes: number): void {
    this.used += bytes
    tenant.used += bytes
    if (tenant.used <= 0) this.#tenants.delete(tenant.name)
  }

  beginBody(tenant: Tenant): void {
    if (tenant.bodies === 0) this.#receiving += 1
    tenant.bodies += 1
  }

  addUnfinished(tenant: Tenant, bytes: number): void {
    this.#unfinished += bytes
    tenant.unfinished += bytes
  }

  /** Whether more of the lease's body may come. */
  mayGoOn(lease: Lease): boolean {
    const { tenant } = lease
    if (this.#unfinished <= this.bytesMax * UNFINISHED_SHARE && this.#hasShare(tenant)) return true
    tenant.exempt ??= lease
    return tenant.exempt === lease
  }

  /** Whether what came beyond the part of unfinished bodies may be kept until its socket continues. */
  mayWait({ tenant }: Lease): boolean {
    return this.#unfinished <= this.bytesMax * UNFINISHED_SHARE_MAX || this.#hasShare(tenant)
  }

  #hasShare(tenant: Tenant): boolean {
    return tenant.unfinished <= (this.bytesMax * UNFINISHED_SHARE) / Math.max(TENANTS_MIN, this.#receiving)
  }

  /** Whether an answer may wait for its client with so many bytes. */
  mayStayUnread(tenant: Tenant, bytes: number): boolean {
    const { all, tenant: ofTenant } = UNREAD_SHARE
    return this.#unread + bytes <= this.bytesMax * all && tenant.unread + bytes <= this.bytesMax * ofTenant
  }

  addUnread(tenant: Tenant, bytes: number): void {
    this.#unread += bytes
    tenant.unread += bytes
  }

  wait(lease: Lease, onRoom: () => void): void {
    this.#waiting.set(lease, onRoom)
  }

  endBody(lease: Lease): void {
    lease.tenant.bodies -= 1
    if (lease.tenant.bodies === 0) this.#receiving -= 1
    if (lease.tenant.exempt === lease) lease.tenant.exempt = undefined
    this.#waiting.delete(lease)
    for (const [waiting, onRoom] of this.#waiting) {
      if (!this.mayGoOn(waiting)) continue
      this.#waiting.delete(waiting)
      onRoom()
    }
  }
}

class Lease implements MemoryLease {
  readonly #state: BudgetState
  readonly tenant: Tenant
  #held = 0
  #unfinished = 0
  #unread = 0
  #receiving = false

  constructor(state: BudgetState, name: string) {
    this.#state = state
    this.tenant = state.tenant(name)
  }

  take(bytes: number): boolean {
    if (!this.#state.hasRoom(this.tenant, bytes)) return false
    this.#held += bytes
    this.#state.add(this.tenant, bytes)
    return true
  }

  arrived(bytes: number, onRoom: () => void): 'go' | 'wait' | 'full' {
    if (!this.take(bytes)) return 'full'
    if (!this.#receiving) {
      this.#receiving = true
      this.#state.beginBody(this.tenant)
    }
    this.#unfinished += bytes
    this.#state.addUnfinished(this.tenant, bytes)
    // What fits into the fixed part of a request is let in at any time.
    if (this.#unfinished <= REQUEST_BYTES || this.#state.mayGoOn(this)) return 'go'
    if (!this.#state.mayWait(this)) {
      this.bodyEnded()
      this.#hold(this.#held - bytes)
      return 'full'
    }
    this.#state.wait(this, onRoom)
    return 'wait'
  }

  bodyEnded(): void {
    if (!this.#receiving) return
    this.#receiving = false
    this.#state.addUnfinished(this.tenant, -this.#unfinished)
    this.#unfinished = 0
    this.#state.endBody(this)
  }

  answered(unsentBytes: number): boolean {
    this.bodyEnded()
    const bytes = REQUEST_BYTES + unsentBytes
    if (!this.#state.mayStayUnread(this.tenant, bytes)) return false
    this.#state.addUnread(this.tenant, bytes)
    this.#unread = bytes
    this.#hold(bytes)
    return true
  }

  release(): void {
    this.bodyEnded()
    if (this.#unread > 0) this.#state.addUnread(this.tenant, -this.#unread)
    this.#unread = 0
    this.#hold(0)
  }

  #hold(bytes: number): void {
    if (bytes !== this.#held) this.#state.add(this.tenant, bytes - this.#held)
    this.#held = bytes
  }
}
