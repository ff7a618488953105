import type { ApiCall } from '@ariftly/http'
import type { Transaction } from '@ariftly/store'

/** What the audit log calls a change. */
export type AuditAction =
  | 'api_key.create'
  | 'api_key.update'
  | 'api_key.rotate'
  | 'api_key.revoke'
  | 'webhook.create'
  | 'webhook.update'
  | 'webhook.rotate_secret'
  | 'webhook.delete'
  | 'tenant.put'
  | 'tenant.delete'

/** All actions of the audit log. */
export const AUDIT_ACTIONS: readonly AuditAction[] = [
  'api_key.create',
  'api_key.update',
  'api_key.rotate',
  'api_key.revoke',
  'webhook.create',
  'webhook.update',
  'webhook.rotate_secret',
  'webhook.delete',
  'tenant.put',
  'tenant.delete',
]

/** The answer of a write, sent when its transaction has committed. */
export interface WriteAnswer {
  readonly status: 200 | 201 | 202 | 204
  /** Absent for 204. */
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  /** What the audit log is told; absent when nothing changed. */
  readonly audit?: { readonly action: AuditAction; readonly target: string; readonly tenant: string }
  /** Runs after the commit and before the answer; work that may be lost without harm. */
  readonly after?: () => Promise<void>
}

/**
 * Carries out one administrative write in a transaction that its wrapper commits. Throws a Problem to refuse, which rolls
 * back. It may run again after a conflict, so it changes nothing but the database.
 */
export type WriteHandler = (call: ApiCall, tx: Transaction) => Promise<WriteAnswer>
