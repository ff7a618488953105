import { AUDIT_ACTIONS, TENANT, TENANT_SHAPE } from '@ariftly/contract'
import { choiceParam, instantParam, readQuery, textParam, type ApiHandler } from '@ariftly/http'
import { listAuditEntries, type AuditEntry } from '@ariftly/store/audit'
import { byId, pageParams, sendPage, type ListDeps } from './send-list.ts'
import { reachTenant } from './tenants/reach-tenant.ts'

const QUERY = {
  tenant: textParam({ pattern: TENANT, shape: TENANT_SHAPE }),
  action: choiceParam(AUDIT_ACTIONS),
  after: instantParam(),
  before: instantParam(),
  ...pageParams,
}

/** Answers `GET /v1/audit`, newest first: with `admin` of the own tenant, with `platform` of any. */
export function createListAuditEntries({ pool, cursors }: ListDeps): ApiHandler {
  return async ({ caller, url }, _req, res) => {
    const query = readQuery(url, QUERY)
    const tenant = reachTenant(caller, query.tenant)
    const filter = {
      ...(query.action === undefined ? {} : { action: query.action }),
      // `after` is inclusive, `before` is not: both by the millisecond of the entry.
      ...(query.after === undefined ? {} : { fromMs: query.after.ceilMs }),
      ...(query.before === undefined ? {} : { beforeMs: query.before.ceilMs }),
    }
    const bound = { tenant, ...filter }
    const list = { cursors, name: 'audit', bound, query, render: renderAuditEntry, placeOf: byId }
    await sendPage(res, { ...list, read: (page) => listAuditEntries(pool, { ...bound, ...page }) })
  }
}

/** An entry of the audit log as the API shows it. */
export function renderAuditEntry(entry: AuditEntry): Record<string, unknown> {
  return {
    object: 'audit_entry',
    id: entry.id,
    at: new Date(entry.atMs).toISOString(),
    key_id: entry.keyId,
    tenant: entry.tenant,
    action: entry.action,
    target: entry.target,
    request_id: entry.requestId,
    changes: JSON.parse(entry.changes) as unknown,
    count: entry.count,
  }
}
