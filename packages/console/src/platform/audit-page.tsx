import { useKey } from '../session/session.ts'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { ListPage } from './list-page.tsx'

/** Who changed keys, tenants and webhooks. */
export function AuditPage() {
  const { client } = useKey()
  return (
    <ListPage
      title="Audit"
      request={{ path: '/v1/audit', command: 'audit', method: 'audit.list' }}
      read={(query, signal) => client.audit.list(query, { signal })}
      keyOf={({ id }) => id}
      empty="Nothing was changed yet."
      columns={[
        { title: 'When', cell: ({ at }) => <Time at={at} /> },
        { title: 'Action', cell: ({ action }) => visibleText(action) },
        { title: 'Target', cell: ({ target }) => <span className="mono">{visibleText(target)}</span> },
        { title: 'Tenant', cell: ({ tenant }) => visibleText(tenant) },
        { title: 'Key', cell: ({ key_id }) => <span className="mono">{visibleText(key_id)}</span> },
        { title: 'Times', cell: ({ count }) => count },
        { title: 'Request', cell: ({ request_id }) => <span className="mono">{visibleText(request_id)}</span> },
      ]}
    />
  )
}
