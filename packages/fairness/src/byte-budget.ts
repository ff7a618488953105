/** How many bytes may be held. */
export interface ByteBudgetOptions {
  /** In all. */
  readonly bytesMax: number
  /** Bytes that one tenant may hold, by the bytes that the others leave of `bytesMax`; never more than these. Default: all of them. */
  readonly tenantMax?: (left: number) => number
}

/** A holder of bytes that can be cut, such as a connection whose client does not read. */
export interface ByteHolder {
  /** Bytes that it holds now. */
  unsentBytes(): number
  /** Frees them. */
  destroy(): void
}

interface Tenant {
  readonly name: string
  bytes: number
  /** Open shares. */
  shares: number
}

/** After a cut there is room for some time: not each further byte asks for the next one. */
const ROOM = 0.8

/**
 * Bounds the bytes that are held at the same time, together and for each tenant. They are either asked for before they are held
 * ({@link ByteShare.take}), or counted afterwards ({@link ByteShare.set}) and cut where they are too many ({@link enforce}).
 */
export class ByteBudget {
  readonly #bytesMax: number
  readonly #tenantMax: (left: number) => number
  readonly #tenants = new Map<string, Tenant>()
  /** Shares that hold something and can be cut. */
  readonly #cuttable = new Set<ByteShare>()
  #bytes = 0

  constructor({ bytesMax, tenantMax = (left) => left }: ByteBudgetOptions) {
    this.#bytesMax = bytesMax
    this.#tenantMax = tenantMax
  }

  /** Bytes that are held, of all tenants. */
  get bytes(): number {
    return this.#bytes
  }

  /** Tenants with an open share. */
  get tenants(): number {
    return this.#tenants.size
  }

  bytesOf(tenant: string): number {
    return this.#tenants.get(tenant)?.bytes ?? 0
  }

  /** Opens an empty share, which is to be closed. One with a `holder` may be cut by {@link enforce}. */
  open(tenant: string, holder?: ByteHolder): ByteShare {
    let owner = this.#tenants.get(tenant)
    if (owner === undefined) this.#tenants.set(tenant, (owner = { name: tenant, bytes: 0, shares: 0 }))
    owner.shares += 1
    return new ByteShare(this, owner, holder)
  }

  /** When more than `bytesMax` is held: cuts the largest share of the tenant that holds most, until a fifth is free. Returns how many were cut. */
  enforce(): number {
    if (this.#bytes <= this.#bytesMax) return 0
    for (const share of this.#cuttable) share.set(share.holder?.unsentBytes() ?? 0)
    const tenants = this.#cuttableByTenant()
    let count = 0
    for (; this.#bytes > this.#bytesMax * ROOM; count += 1) {
      const largest = tenants.pop()
      const share = largest?.shares.pop()
      if (largest === undefined || share === undefined) break
      share.set(0)
      share.holder?.destroy()
      if (largest.shares.length === 0) continue
      const at = tenants.findLastIndex(({ tenant }) => tenant.bytes <= largest.tenant.bytes)
      tenants.splice(at + 1, 0, largest)
    }
    return count
  }

  /** The tenants and the shares of each, the largest last. */
  #cuttableByTenant(): { readonly tenant: Tenant; readonly shares: ByteShare[] }[] {
    const byTenant = new Map<Tenant, ByteShare[]>()
    for (const share of [...this.#cuttable].toSorted((one, other) => one.bytes - other.bytes)) {
      const shares = byTenant.get(share.tenant)
      if (shares === undefined) byTenant.set(share.tenant, [share])
      else shares.push(share)
    }
    const tenants = Array.from(byTenant, ([tenant, shares]) => ({ tenant, shares }))
    return tenants.toSorted((one, other) => one.tenant.bytes - other.tenant.bytes)
  }

  /** For {@link ByteShare}. */
  hasRoom(tenant: Tenant, bytes: number): boolean {
    const left = this.#bytesMax - (this.#bytes - tenant.bytes)
    return tenant.bytes + bytes <= this.#tenantMax(left)
  }

  /** For {@link ByteShare}: it holds `bytes` more. */
  count(share: ByteShare, bytes: number): void {
    this.#bytes += bytes
    share.tenant.bytes += bytes
    if (share.holder === undefined) return
    if (share.bytes > 0) this.#cuttable.add(share)
    else this.#cuttable.delete(share)
  }

  /** For {@link ByteShare}. */
  forget(tenant: Tenant): void {
    tenant.shares -= 1
    if (tenant.shares === 0) this.#tenants.delete(tenant.name)
  }
}

/** The part of a {@link ByteBudget} that one request, answer or stream holds. Once closed it takes nothing: nothing would give that back. */
export class ByteShare {
  readonly tenant: Tenant
  readonly holder: ByteHolder | undefined
  readonly #budget: ByteBudget
  #bytes = 0
  #isClosed = false

  /** For {@link ByteBudget}. */
  constructor(budget: ByteBudget, tenant: Tenant, holder: ByteHolder | undefined) {
    this.#budget = budget
    this.tenant = tenant
    this.holder = holder
  }

  get bytes(): number {
    return this.#bytes
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Asks for `bytes` more; false, and nothing is taken, if there is no room or the share is closed. */
  take(bytes: number): boolean {
    if (this.#isClosed || !this.#budget.hasRoom(this.tenant, bytes)) return false
    this.set(this.#bytes + bytes)
    return true
  }

  /** Sets the bytes that it holds, whether or not there is room for them. A closed share holds nothing. */
  set(bytes: number): void {
    const more = bytes - this.#bytes
    if (more === 0 || this.#isClosed) return
    this.#bytes = bytes
    this.#budget.count(this, more)
  }

  /** It holds nothing any more. May be called again. */
  close(): void {
    this.set(0)
    if (!this.#isClosed) this.#budget.forget(this.tenant)
    this.#isClosed = true
  }
}
