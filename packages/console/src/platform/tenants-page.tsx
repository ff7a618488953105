import { useKey } from '../session/session.ts'
import { Badge } from '../ui/badge.tsx'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { ListPage } from './list-page.tsx'

const TONES = { active: 'good', suspended: 'bad', deleting: 'busy', deleted: 'quiet' } as const

/** Tenants that were put, with their limits. */
export function TenantsPage() {
  const { client } = useKey()
  return (
    <ListPage
      title="Tenants"
      request={{ path: '/v1/tenants', command: 'tenants list', method: 'tenants.list' }}
      read={(query, signal) => client.tenants.list(query, { signal })}
      keyOf={({ id }) => id}
      empty="No tenant was given limits or suspended yet."
      columns={[
        { title: 'Tenant', cell: ({ id }) => visibleText(id) },
        { title: 'State', cell: ({ state }) => <Badge tone={TONES[state] ?? 'quiet'}>{state}</Badge> },
        {
          title: 'Limits',
          cell: ({ limits }) =>
            Object.entries(limits)
              .filter(([, limit]) => limit !== null)
              .map(([name, limit]) => `${name} ${limit}`)
              .join(', ') || 'the defaults',
        },
        { title: 'Changed', cell: ({ updated_at }) => <Time at={updated_at} /> },
      ]}
    />
  )
}
