import type { Logger, Releasers } from '@ariftly/runtime'
import type { WebhookWorkerConfig } from './config.ts'
import type { WorkerPools } from './pools.ts'
import type { Wakeups } from './queueing/wakeups.ts'
import type { WorkerMetrics } from './worker-metrics.ts'

/** Dependencies that the parts of the worker share. */
export interface WorkerParts {
  readonly config: WebhookWorkerConfig
  readonly pools: WorkerPools
  /** UUID of this worker. */
  readonly workerId: string
  readonly wakeups: Wakeups
  readonly metrics: WorkerMetrics
  readonly signal: AbortSignal
  readonly releasers: Releasers
  readonly log: Logger
}
