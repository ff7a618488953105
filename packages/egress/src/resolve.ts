/** An address that a name resolved to. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}
/** Looks a host name up, once. Rejects when there is no answer. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<readonly ResolvedAddress[]>

export function createResolver(): Resolve {
  throw new Error('not yet')
}
