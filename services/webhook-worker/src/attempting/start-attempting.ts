import { createEgress, type EgressPolicy } from '@ariftly/egress'
import { createKeyring } from '@ariftly/keyring'
import type { Tracing } from '@ariftly/runtime'
import { STANDARD_FORMAT } from '@ariftly/webhook-sending'
import { LEASE_MS } from '../queueing/capacity.ts'
import type { AttemptRef } from '../queueing/unqueue-deliveries.ts'
import type { Settling } from '../settling/start-settling.ts'
import { AttemptStarts } from './attempt-starts.ts'
import { createCachedKeyring } from './cached-keyring.ts'
import { createDeliver } from './deliver.ts'
import type { WorkerParts } from '../worker-parts.ts'

/** Dependencies of attempting. */
export interface AttemptingOptions extends WorkerParts {
  readonly policy: EgressPolicy
  readonly settling: Settling
  readonly tracing?: Tracing | undefined
}

/** Makes attempts. */
export interface Attempting {
  /** Starts one, sends it, and resolves when its outcome is written. */
  readonly make: (ref: AttemptRef) => Promise<void>
  /** No further attempt is sent: what is started is given back. */
  readonly stop: () => void
  /** Cuts what is being sent; it is given back. */
  readonly cut: () => Promise<void>
}

/** Opens the connections of attempts. */
export function startAttempting(o: AttemptingOptions): Attempting {
  const { config, pools, workerId, settling, metrics, signal, log } = o
  const { retries } = STANDARD_FORMAT
  let stopping = false
  const egress = createEgress({ policy: o.policy })
  const starts = new AttemptStarts({ pool: pools.starts, leaseMs: LEASE_MS, workerId, signal, log })
  const make = createDeliver({
    starts,
    outcomes: { add: (outcome) => settling.add(outcome).finally(() => starts.ended(outcome)) },
    egress,
    keyring: createCachedKeyring(createKeyring(config.ENCRYPTION_KEYS)),
    format: {
      ...STANDARD_FORMAT,
      retries: { ...retries, scheduleS: config.WEBHOOK_RETRY_SCHEDULE_S ?? retries.scheduleS },
    },
    timeoutMs: config.WEBHOOK_TIMEOUT_MS,
    stopping: () => stopping,
    onGone: settling.gone,
    observe: metrics.attempted,
    onUnreachable: metrics.unreachable,
    log,
    tracing: o.tracing,
  })

  function stop(): void {
    stopping = true
  }

  return { make, stop, cut: () => egress.close() }
}
