import type { AuditAction } from '@ariftly/contract'
import type { ApiCall } from '@ariftly/http'
import type { Transaction } from '@ariftly/store'
import type { Change } from './changes.ts'

/** The answer of a write, sent when its transaction has committed. */
export interface WriteAnswer {
  readonly status: 200 | 201 | 202 | 204
  /** Absent for 204. */
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  /** The entry for the audit log; absent when nothing changed. */
  readonly audit?: Audited
  /** Runs after the commit and before the answer; work that may be lost without harm. */
  readonly after?: () => Promise<void>
}

/** What the audit log keeps of a write, beside who made it and when. */
export interface Audited {
  readonly action: AuditAction
  /** The id of the changed resource. */
  readonly target: string
  /** The target's. */
  readonly tenant: string
  readonly changes: readonly Change[]
}

/**
 * Carries out one administrative write, of a request without a query, in a transaction that its wrapper commits. Throws a Problem to refuse, which rolls
 * back. It may run again after a conflict, so it changes nothing but the database.
 */
export type WriteHandler = (call: ApiCall, tx: Transaction) => Promise<WriteAnswer>
