/** The bytes of one request's body. */
export interface BodyShare {
  /** Asks for `bytes` more; false if there is no room. */
  take(bytes: number): boolean
  /** Gives back all that was taken. */
  release(): void
}

/** How many bytes of bodies may be held at the same time. */
export interface BodyMemoryLimits {
  readonly bytesMax: number
  /**
   * The part that one tenant may hold of what the others leave, below 1. So whatever some tenants hold there is room for one more:
   * with a quarter, ten tenants that hold all they may leave 5 % of it.
   */
  readonly tenantShare: number
}

/** Bounds the bodies that are held at the same time, whole or not, together and for each tenant. */
export class BodyMemory {
  readonly #limits: BodyMemoryLimits
  readonly #tenants = new Map<string, number>()
  #bytes = 0

  constructor(limits: BodyMemoryLimits) {
    this.#limits = limits
  }

  /** Opens the share of a request, which is to be released. */
  open(tenant: string): BodyShare {
    let held = 0
    return {
      take: (bytes) => {
        if (!this.#hasRoom(tenant, bytes)) return false
        this.#add(tenant, bytes)
        held += bytes
        return true
      },
      release: () => {
        this.#add(tenant, -held)
        held = 0
      },
    }
  }

  #hasRoom(tenant: string, bytes: number): boolean {
    const { bytesMax, tenantShare } = this.#limits
    const held = this.#tenants.get(tenant) ?? 0
    const others = this.#bytes - held
    return held + bytes <= (bytesMax - others) * tenantShare
  }

  #add(tenant: string, bytes: number): void {
    this.#bytes += bytes
    const sum = (this.#tenants.get(tenant) ?? 0) + bytes
    if (sum > 0) this.#tenants.set(tenant, sum)
    else this.#tenants.delete(tenant)
  }
}
