/** The actions of the audit log; more may be added. */
export const AUDIT_ACTIONS = [
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
] as const

/** The name of a change in the audit log. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number]
