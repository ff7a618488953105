import type { Dial } from './connector.ts'
import type { EgressOutcome, EgressRequest } from './outcome.ts'
import type { EgressPolicy } from './policy.ts'
import type { Resolve } from './resolve.ts'

/** What an egress is made of; `resolve`, `dial` and `ca` are for tests. */
export interface EgressOptions {
  readonly policy: EgressPolicy
  readonly resolve?: Resolve
  readonly dial?: Dial
  readonly ca?: string | Buffer
}

/** Sends guarded POSTs. */
export interface Egress {
  /** Never rejects: every fault is an outcome. */
  readonly send: (request: EgressRequest) => Promise<EgressOutcome>
  readonly close: () => Promise<void>
}

export function createEgress(_: EgressOptions): Egress {
  throw new Error('not yet')
}
