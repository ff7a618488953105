import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useKey } from '../session/session.ts'
import { Badge } from '../ui/badge.tsx'
import { Fault } from '../ui/fault.tsx'
import { Time } from '../ui/time.tsx'

const POLL_MS = 1_000

/** A redelivery, asked again until it is over. */
export function useRedelivery(id: string | undefined) {
  const { client } = useKey()
  return useQuery({
    queryKey: ['redelivery', id],
    queryFn: async ({ signal }) => await client.redeliveries.get(id ?? '', { signal }),
    enabled: id !== undefined,
    refetchInterval: ({ state }) => (state.data === undefined || state.data.status === 'running' ? POLL_MS : false),
  })
}

/** How far a redelivery is; a running one can be cancelled. */
export function Progress({ id }: { readonly id: string }) {
  const { client } = useKey()
  const queries = useQueryClient()
  const { data, error } = useRedelivery(id)
  const hasEnded = data !== undefined && data.status !== 'running'
  useEffect(() => {
    for (const name of hasEnded ? ['deliveries', 'webhook'] : []) void queries.invalidateQueries({ queryKey: [name] })
  }, [queries, hasEnded])
  const cancel = useMutation({
    mutationFn: async () => await client.redeliveries.cancel(id),
    onSuccess: async () => await queries.invalidateQueries({ queryKey: ['redelivery'] }),
  })
  if (error !== null) return <Fault error={error} />
  if (data === undefined) return null
  const { status, dry_run, delivery_count, scanned_count, updated_at } = data
  const tone = status === 'running' ? 'busy' : status === 'completed' ? 'good' : 'bad'
  return (
    <div className="card progress" role="status">
      <p>
        <Badge tone={tone}>{status}</Badge> {dry_run ? 'Counted' : 'Made due'}: <strong>{delivery_count}</strong>
        {`, of ${scanned_count} checked. `}
        <Time at={updated_at} />
      </p>
      <p className="small muted mono">{id}</p>
      {cancel.error !== null && <Fault error={cancel.error} />}
      {status === 'running' && (
        <button type="button" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel
        </button>
      )}
    </div>
  )
}
