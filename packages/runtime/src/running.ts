import type { RequestListener } from 'node:http'
import type { Backends } from './backends.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import type { Tracing } from './tracing/tracing.ts'

/** What a service says about itself to `/readyz`. */
export interface Readiness {
  /** False while starting, draining, or when this process itself is broken; a shared backend that is down leaves it true. */
  readonly ready: boolean
  /** One entry for each check: `ok` or the failure in a few words; a shared backend that is down is named here. */
  readonly checks: Readonly<Record<string, string>>
}

/** A started service. */
export interface Running {
  readonly name: string
  /** Its routes under `/v1`, if it serves HTTP. */
  readonly router?: RequestListener
  ready(): Readiness
  /** Stops taking work, and releases work that others can do. Called once, before {@link close}; awaited within the deadline. */
  drain?(): void | Promise<void>
  /** Ends all; last-in first-out. Called once. */
  close(): Promise<void>
}

/** What every service is given by the process it runs in. */
export interface ServiceDeps {
  readonly log: Logger
  readonly metrics: Metrics
  /** Whether Kafka, Postgres and Redis answer; one for all services of the process. */
  readonly backends: Backends
  /** Aborted after draining, before closing: waits and retries end then. */
  readonly signal: AbortSignal
  /** Undefined when no traces are collected. */
  readonly tracing?: Tracing | undefined
}
