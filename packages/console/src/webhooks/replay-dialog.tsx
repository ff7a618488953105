import type { Webhook } from '@ariftly/sdk'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Field } from '../events/filter-form.tsx'
import { newIdempotencyKey } from '../session/idempotency-key.ts'
import { useKey } from '../session/session.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Fault } from '../ui/fault.tsx'
import { fieldText } from '../ui/form-fields.ts'

const POLL_MS = 1_000
const HOUR_MS = 3_600_000

/** Delivers past events to the webhook again: since when, then the progress. */
export function ReplayDialog({ webhook, onClose }: { readonly webhook: Webhook; readonly onClose: () => void }) {
  const { client } = useKey()
  const [idempotencyKey] = useState(newIdempotencyKey)
  const [anHourAgo] = useState(() => new Date(Date.now() - HOUR_MS).toISOString())
  const start = useMutation({
    mutationFn: async (after: string) => await client.webhooks.replay(webhook.id, { after }, { idempotencyKey }),
  })
  const replay = useQuery({
    queryKey: ['replay', start.data?.id],
    queryFn: async ({ signal }) => await client.webhooks.getReplay(webhook.id, start.data?.id ?? '', { signal }),
    enabled: start.data !== undefined,
    refetchInterval: ({ state }) => (state.data === undefined || state.data.status === 'running' ? POLL_MS : false),
  })

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    start.mutate(fieldText(new FormData(event.currentTarget), 'after'))
  }

  const shown = replay.data ?? start.data
  return (
    <Dialog title="Replay" onClose={onClose}>
      {shown === undefined ? (
        <form className="dialog-body" onSubmit={submit}>
          <p>Events that fit the webhook and were created since then are delivered again.</p>
          <Field name="after" label="After (ISO 8601, when the log took them)" value={anHourAgo} />
          {start.error !== null && <Fault error={start.error} />}
          <button type="submit" className="primary" disabled={start.isPending}>
            Replay
          </button>
        </form>
      ) : (
        <p className="dialog-body" role="status">
          {`${shown.status}: ${shown.delivery_count} deliveries of ${shown.scanned_count} events that were checked.`}
        </p>
      )}
      {replay.error !== null && <Fault error={replay.error} />}
    </Dialog>
  )
}
