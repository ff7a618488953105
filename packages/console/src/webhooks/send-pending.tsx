import type { Webhook } from '@ariftly/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Progress, useRedelivery } from '../deliveries/redelivery-progress.tsx'
import { newIdempotencyKey } from '../session/idempotency-key.ts'
import { useKey } from '../session/session.ts'
import { Fault } from '../ui/fault.tsx'
import { Time } from '../ui/time.tsx'
import { pendingText } from './pending-text.ts'

/** Sends all that waits for a failing webhook before its next attempt is due: for a person who has repaired the receiver. */
export function SendPending({ webhook }: { readonly webhook: Webhook }) {
  const { id, enabled, failing_since, pending_count } = webhook
  const { client } = useKey()
  const queries = useQueryClient()
  const [idempotencyKey, setIdempotencyKey] = useState(newIdempotencyKey)
  const send = useMutation({
    mutationFn: async () =>
      await client.redeliveries.create({ filter: { webhook_id: id, status: 'pending' } }, { idempotencyKey }),
    onSuccess: async () => {
      setIdempotencyKey(newIdempotencyKey())
      await queries.invalidateQueries({ queryKey: ['deliveries'] })
    },
  })
  const isRunning = useRedelivery(send.data?.id).data?.status === 'running'
  return (
    <>
      {enabled && failing_since !== null && pending_count > 0 && (
        <div className="note">
          <p>
            Attempts have failed since <Time at={failing_since} />. Pending deliveries wait for their next attempt:{' '}
            {pendingText(webhook)}. Is the receiver repaired?
          </p>
          <button
            type="button"
            className="primary"
            disabled={send.isPending || isRunning}
            onClick={() => send.mutate()}
          >
            Send now
          </button>
        </div>
      )}
      {send.error !== null && <Fault error={send.error} />}
      {send.data !== undefined && <Progress id={send.data.id} />}
    </>
  )
}
