import type { AuditEntry } from '@ariftly/sdk'
import { useKey } from '../session/session.ts'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { ListPage } from './list-page.tsx'

/** The members that changed, with their values where the log keeps them. */
function Changes({ changes, count }: Pick<AuditEntry, 'changes' | 'count'>) {
  return (
    <>
      {changes.map(({ member, before, after, changed }) => (
        <div key={member} className="small">
          <span className="mono">{visibleText(member)}</span>{' '}
          {changed === true ? 'changed' : `${shown(before)} → ${shown(after)}`}
        </div>
      ))}
      {count > 1 && <div className="small muted">{count} updates</div>}
    </>
  )
}

function shown(value: unknown): string {
  return value === null ? 'none' : visibleText(typeof value === 'string' ? value : JSON.stringify(value))
}

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
        {
          title: 'Action, request',
          cell: ({ action, request_id }) => (
            <>
              {visibleText(action)}
              <div className="small muted mono">{visibleText(request_id)}</div>
            </>
          ),
        },
        { title: 'Target', cell: ({ target }) => <span className="mono">{visibleText(target)}</span> },
        {
          title: 'Tenant, key',
          cell: ({ tenant, key_id }) => (
            <>
              {visibleText(tenant)}
              <div className="small muted mono">{visibleText(key_id)}</div>
            </>
          ),
        },
        { title: 'Changes', cell: ({ changes, count }) => <Changes changes={changes} count={count} /> },
      ]}
    />
  )
}
