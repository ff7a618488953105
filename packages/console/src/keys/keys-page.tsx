import type { ApiKey } from '@ariftly/sdk'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ListPage } from '../platform/list-page.tsx'
import { useKey } from '../session/session.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { NewKeyDialog } from './new-key-dialog.tsx'

/** API keys: what each may, when it was used last, and its end. */
export function KeysPage() {
  const { client, who } = useKey()
  const queries = useQueryClient()
  const [isAdding, setAdding] = useState(false)
  const [revoking, setRevoking] = useState<ApiKey | undefined>(undefined)
  const changed = () => void queries.invalidateQueries({ queryKey: ['/v1/api-keys'] })
  return (
    <>
      <ListPage
        title="Keys"
        request={{ path: '/v1/api-keys', command: 'keys list', method: 'apiKeys.list' }}
        read={(query, signal) => client.apiKeys.list(query, { signal })}
        keyOf={({ id }) => id}
        empty="There is no key."
        actions={
          <button type="button" className="primary" onClick={() => setAdding(true)}>
            New key
          </button>
        }
        columns={[
          {
            title: 'Name',
            cell: ({ id, name }) => (
              <>
                {visibleText(name)}
                {id === who.id && ' (this one)'}
                <div className="small muted mono">{id}</div>
              </>
            ),
          },
          { title: 'Scopes', cell: ({ scopes }) => scopes.join(', ') },
          { title: 'Last used', cell: ({ last_used_at }) => <Time at={last_used_at} /> },
          { title: 'Ends', cell: ({ expires_at }) => <Time at={expires_at} /> },
          {
            title: 'Revoke',
            cell: (key) => (
              <button type="button" className="small-button danger" onClick={() => setRevoking(key)}>
                Revoke …
              </button>
            ),
          },
        ]}
      />
      {isAdding && (
        <NewKeyDialog
          onClose={() => {
            setAdding(false)
            changed()
          }}
        />
      )}
      {revoking !== undefined && (
        <Confirm
          title="Revoke the key?"
          action="Revoke"
          run={async () => await client.apiKeys.revoke(revoking.id)}
          onDone={() => {
            setRevoking(undefined)
            changed()
          }}
          onClose={() => setRevoking(undefined)}
        >
          <p>
            <strong>{visibleText(revoking.name)}</strong> (<code>{revoking.id}</code>) stops within a second, its
            streams too.
            {revoking.id === who.id && ' It is the key of this page.'} This cannot be undone.
          </p>
        </Confirm>
      )}
    </>
  )
}
