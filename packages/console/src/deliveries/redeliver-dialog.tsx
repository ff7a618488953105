import type { RedeliveryRequest } from '@ariftly/sdk'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { newIdempotencyKey } from '../session/idempotency-key.ts'
import { useKey } from '../session/session.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Fault } from '../ui/fault.tsx'
import { DELIVERY_STATUSES, type DeliverySearch } from './delivery-search.ts'
import { Progress, useRedelivery } from './redelivery-progress.tsx'

/** What a redelivery takes of the filter of the list. */
function redeliveryFilterOf(search: DeliverySearch): RedeliveryRequest['filter'] {
  const { webhook_id, event_id, task_id, status, type, error_class, after, before } = search
  const members = { webhook_id, event_id, task_id, status, type, error_class, after, before }
  const set = Object.entries(members).filter(([, value]) => value !== undefined)
  return { status: 'failed', ...Object.fromEntries(set) }
}

interface DialogProps {
  readonly search: DeliverySearch
  readonly onClose: () => void
}

/** Sends what the filter finds: failed deliveries again unless another status is chosen, pending ones before they are due. */
export function RedeliverDialog({ search, onClose }: DialogProps) {
  const [status, setStatus] = useState(search.status ?? 'failed')
  return (
    <Dialog title="Send again by filter" onClose={onClose}>
      <label className="field">
        <span>Status of the deliveries</span>
        <select value={status} onChange={(event) => setStatus(event.target.value)}>
          {DELIVERY_STATUSES.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <Redelivery key={status} search={{ ...search, status }} onClose={onClose} />
    </Dialog>
  )
}

/** Counts first by a dry run, then asks, then shows the progress. */
function Redelivery({ search, onClose }: DialogProps) {
  const { client } = useKey()
  const filter = redeliveryFilterOf(search)
  const how = search.status === 'pending' ? 'now' : 'again'
  const [keys] = useState(() => ({ count: newIdempotencyKey(), send: newIdempotencyKey() }))
  const dryRun = useQuery({
    queryKey: ['dry-run', keys.count],
    queryFn: async ({ signal }) =>
      await client.redeliveries.create({ filter, dry_run: true }, { idempotencyKey: keys.count, signal }),
    staleTime: Infinity,
  })
  const counted = useRedelivery(dryRun.data?.id)
  const start = useMutation({
    mutationFn: async () => await client.redeliveries.create({ filter }, { idempotencyKey: keys.send }),
  })
  const isCounted = counted.data !== undefined && counted.data.status !== 'running'
  return (
    <>
      <div className="dialog-body">
        <dl className="facts">
          {Object.entries(filter)
            .filter(([name]) => name !== 'status')
            .map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
        </dl>
        {dryRun.error !== null && <Fault error={dryRun.error} />}
        {start.data === undefined && dryRun.error === null && (
          <p role="status">
            {isCounted
              ? `${counted.data.delivery_count} deliveries will be sent ${how}, of ${counted.data.scanned_count} that were checked.`
              : `Counting: ${counted.data?.delivery_count ?? 0} so far …`}
          </p>
        )}
        {start.error !== null && <Fault error={start.error} />}
        {start.data !== undefined && <Progress id={start.data.id} />}
      </div>
      <footer className="dialog-foot">
        <button type="button" onClick={onClose}>
          {start.data === undefined ? 'Cancel' : 'Close'}
        </button>
        {start.data === undefined && (
          <button
            type="button"
            className="primary"
            disabled={!isCounted || counted.data.delivery_count === 0 || start.isPending}
            onClick={() => start.mutate()}
          >
            {isCounted ? `Send ${counted.data.delivery_count} ${how}` : `Send ${how}`}
          </button>
        )}
      </footer>
    </>
  )
}
