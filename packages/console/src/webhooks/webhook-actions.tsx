import type { Webhook } from '@ariftly/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { AttemptTable } from '../deliveries/attempt-table.tsx'
import { newIdempotencyKey } from '../session/idempotency-key.ts'
import { useKey } from '../session/session.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Fault } from '../ui/fault.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { ReplayDialog } from './replay-dialog.tsx'
import { SecretOnce } from './secret-once.tsx'

type Open = 'test' | 'rotate' | 'replay' | 'delete' | undefined

/** Actions on a webhook other than changing it. */
export function WebhookActions({ webhook }: { readonly webhook: Webhook }) {
  const [open, setOpen] = useState<Open>(undefined)
  const close = () => setOpen(undefined)
  return (
    <>
      <button type="button" onClick={() => setOpen('test')}>
        Send a test
      </button>
      <button type="button" onClick={() => setOpen('replay')}>
        Replay …
      </button>
      <button type="button" onClick={() => setOpen('rotate')}>
        Rotate the secret …
      </button>
      <button type="button" className="danger" onClick={() => setOpen('delete')}>
        Delete …
      </button>
      {open === 'test' && <TestDialog webhook={webhook} onClose={close} />}
      {open === 'replay' && <ReplayDialog webhook={webhook} onClose={close} />}
      {open === 'rotate' && <RotateDialog webhook={webhook} onClose={close} />}
      {open === 'delete' && <DeleteDialog webhook={webhook} onClose={close} />}
    </>
  )
}

interface ActionProps {
  readonly webhook: Webhook
  readonly onClose: () => void
}

function TestDialog({ webhook, onClose }: ActionProps) {
  const { client } = useKey()
  const test = useMutation({ mutationFn: async () => await client.webhooks.test(webhook.id) })
  const { data, error } = test
  return (
    <Dialog title="Send a test" onClose={onClose}>
      <div className="dialog-body">
        <p>
          An example event goes to <code>{visibleText(webhook.url)}</code> at once, signed like any other. It is not in
          the log. When the receiver answers 2xx, pending deliveries are sent too.
        </p>
        {error !== null && <Fault error={error} />}
        {data !== undefined && (
          <>
            <AttemptTable attempts={[data]} />
            {data.response_body !== null && (
              <pre tabIndex={0} aria-label="Body of the answer">
                {visibleText(data.response_body)}
              </pre>
            )}
          </>
        )}
      </div>
      <footer className="dialog-foot">
        <button type="button" className="primary" disabled={test.isPending} onClick={() => test.mutate()}>
          {test.isPending ? 'Waiting for the answer …' : data === undefined ? 'Send' : 'Send another one'}
        </button>
      </footer>
    </Dialog>
  )
}

function RotateDialog({ webhook, onClose }: ActionProps) {
  const { client } = useKey()
  const [idempotencyKey] = useState(newIdempotencyKey)
  const rotate = useMutation({
    mutationFn: async () => await client.webhooks.rotateSecret(webhook.id, {}, { idempotencyKey }),
  })
  return (
    <Dialog title="Rotate the secret" onClose={onClose}>
      <div className="dialog-body">
        {rotate.data === undefined ? (
          <p>Deliveries are signed with both secrets for 24 hours, so receivers can change over in that time.</p>
        ) : (
          <SecretOnce what="The new secret." secret={rotate.data.secret} />
        )}
        {rotate.error !== null && <Fault error={rotate.error} />}
      </div>
      {rotate.data === undefined && (
        <footer className="dialog-foot">
          <button type="button" className="primary" disabled={rotate.isPending} onClick={() => rotate.mutate()}>
            Rotate
          </button>
        </footer>
      )}
    </Dialog>
  )
}

function DeleteDialog({ webhook, onClose }: ActionProps) {
  const { client } = useKey()
  const queries = useQueryClient()
  const navigate = useNavigate()
  return (
    <Confirm
      title="Delete the webhook?"
      action="Delete"
      run={async () => await client.webhooks.delete(webhook.id)}
      onDone={() => {
        void queries.invalidateQueries({ queryKey: ['webhooks'] })
        void navigate({ to: '/webhooks' })
      }}
      onClose={onClose}
    >
      <p>
        <code>{visibleText(webhook.url)}</code> gets nothing more, and its {webhook.pending_count} pending deliveries
        are cancelled. This cannot be undone.
      </p>
    </Confirm>
  )
}
