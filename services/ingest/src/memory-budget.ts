/** The share of one request in the memory that all requests may hold. */
export interface MemoryLease {
  /** Asks for `bytes` more; false (and nothing taken) if there is no room. */
  take(bytes: number): boolean
  /** Gives back all that was taken. */
  release(): void
}

/** Bounds the bytes that requests hold, together and for each tenant. */
export interface MemoryBudget {
  open(tenant: string): MemoryLease
  readonly usedBytes: number
}

/** The part of all memory that one tenant may hold, so that a flood of its own never keeps others out. */
const TENANT_SHARE = 0.5

/** Creates a budget of `bytesMax`. When it is full, `take` says no at once: nobody queues. */
export function createMemoryBudget(bytesMax: number): MemoryBudget {
  const usedByTenant = new Map<string, number>()
  let used = 0

  function add(tenant: string, bytes: number): void {
    used += bytes
    const now = (usedByTenant.get(tenant) ?? 0) + bytes
    if (now > 0) usedByTenant.set(tenant, now)
    else usedByTenant.delete(tenant)
  }

  function open(tenant: string): MemoryLease {
    let held = 0
    return {
      take(bytes) {
        const ofTenant = (usedByTenant.get(tenant) ?? 0) + bytes
        if (used + bytes > bytesMax || ofTenant > bytesMax * TENANT_SHARE) return false
        held += bytes
        add(tenant, bytes)
        return true
      },
      release() {
        add(tenant, -held)
        held = 0
      },
    }
  }

  return {
    open,
    get usedBytes() {
      return used
    },
  }
}
