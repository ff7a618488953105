import type { NewWebhook } from '@ariftly/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { newIdempotencyKey } from '../session/idempotency-key.ts'
import { useKey } from '../session/session.ts'
import { Page } from '../ui/page.tsx'
import { SecretOnce } from './secret-once.tsx'
import { WebhookForm, type WebhookMembers } from './webhook-form.tsx'

/** Creates a webhook, and shows its secret. */
export function NewWebhookPage() {
  const { client } = useKey()
  const queries = useQueryClient()
  // The same for each try: a create whose answer was lost is not made twice. One that was refused leaves no trace.
  const [idempotencyKey] = useState(newIdempotencyKey)
  const create = useMutation({
    mutationFn: async (members: WebhookMembers) =>
      // The server checks the members.
      await client.webhooks.create(members as unknown as NewWebhook, { idempotencyKey }),
    onSuccess: async () => await queries.invalidateQueries({ queryKey: ['webhooks'] }),
  })
  return (
    <Page title="New webhook" name="New webhook">
      {create.data === undefined ? (
        <WebhookForm
          action="Create"
          isBusy={create.isPending}
          error={create.error}
          onSubmit={(members) => create.mutate(members)}
        />
      ) : (
        <>
          <SecretOnce what="The secret that signs deliveries." secret={create.data.secret} />
          <Link to="/webhooks/$id" params={{ id: create.data.id }} className="button primary">
            To the webhook
          </Link>
        </>
      )}
    </Page>
  )
}
