import type { EventDelivery } from '@ariftly/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { newIdempotencyKey } from '../session/idempotency-key.ts'
import { useKey } from '../session/session.ts'
import { Fault } from '../ui/fault.tsx'

type Sendable = Pick<EventDelivery, 'id' | 'status' | 'attempt_count'>

/** Sends a delivery: one that is pending before its next attempt is due, one that has ended again. */
export function SendDelivery({ delivery }: { readonly delivery: Sendable }) {
  const { id, status, attempt_count } = delivery
  // Each attempt may be followed by another request, with an idempotency key of its own.
  return <Send key={`${status} ${attempt_count}`} id={id} isPending={status === 'pending'} />
}

function Send({ id, isPending }: { readonly id: string; readonly isPending: boolean }) {
  const { client } = useKey()
  const queries = useQueryClient()
  const [idempotencyKey] = useState(newIdempotencyKey)
  const send = useMutation({
    // A repetition after a lost answer takes effect once.
    mutationFn: async () => await client.deliveries.redeliver(id, { idempotencyKey }),
    onSuccess: async () => {
      const shown = ['deliveries', 'event', 'task'].map((name) => queries.invalidateQueries({ queryKey: [name] }))
      await Promise.all(shown)
    },
  })
  return (
    <>
      <button
        type="button"
        className="small-button"
        disabled={send.isPending || send.isSuccess}
        onClick={() => send.mutate()}
      >
        {send.isSuccess ? 'Is due now' : isPending ? 'Send now' : 'Send again'}
      </button>
      {send.error !== null && <Fault error={send.error} />}
    </>
  )
}
