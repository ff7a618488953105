import type { AuditAction } from '@ariftly/contract'
import type { ApiCall } from '@ariftly/http'
import type { Transaction } from '@ariftly/store'

/** The answer of a write, sent when its transaction has committed. */
export interface WriteAnswer {
  readonly status: 200 | 201 | 202 | 204
  /** Absent for 204. */
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  /** The entry for the audit log; absent when nothing changed. */
  readonly audit?: { readonly action: AuditAction; readonly target: string; readonly tenant: string }
  /** Runs after the commit and before the answer; work that may be lost without harm. */
  readonly after?: () => Promise<void>
}

/**
 * Carries out one administrative write, of a request without a query, in a transaction that its wrapper commits. Throws a Problem to refuse, which rolls
 * back. It may run again after a conflict, so it changes nothing but the database.
 */
export type WriteHandler = (call: ApiCall, tx: Transaction) => Promise<WriteAnswer>
