import { useMutation } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Field } from '../events/filter-form.tsx'
import { newIdempotencyKey } from '../session/idempotency-key.ts'
import type { Scope } from '../session/scopes.ts'
import { useKey } from '../session/session.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Fault } from '../ui/fault.tsx'
import { fieldText } from '../ui/form-fields.ts'
import { SecretOnce } from '../webhooks/secret-once.tsx'

const SCOPES: readonly Scope[] = ['events:write', 'events:read', 'webhooks', 'admin', 'platform']

/** Makes a key, and shows it once. */
export function NewKeyDialog({ onClose }: { readonly onClose: () => void }) {
  const { client } = useKey()
  const [idempotencyKey] = useState(newIdempotencyKey)
  const create = useMutation({
    mutationFn: async ({ name, scopes }: { readonly name: string; readonly scopes: readonly Scope[] }) =>
      await client.apiKeys.create({ name, scopes }, { idempotencyKey }),
  })

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    create.mutate({ name: fieldText(fields, 'name'), scopes: fields.getAll('scopes') as Scope[] })
  }

  return (
    <Dialog title="New key" onClose={onClose}>
      {create.data === undefined ? (
        <form className="dialog-body form" onSubmit={submit}>
          <Field name="name" label="Name" required />
          <fieldset>
            <legend>Scopes</legend>
            {SCOPES.map((scope) => (
              <label key={scope} className="check">
                <input type="checkbox" name="scopes" value={scope} />
                <span>{scope}</span>
              </label>
            ))}
          </fieldset>
          {create.error !== null && <Fault error={create.error} />}
          <button type="submit" className="primary" disabled={create.isPending}>
            Make it
          </button>
        </form>
      ) : (
        <div className="dialog-body">
          <SecretOnce what="The key." secret={create.data.key} />
        </div>
      )}
    </Dialog>
  )
}
