import { UnprocessableError, type Webhook } from '@ariftly/sdk'
import { useId, useState, type FormEvent, type ReactNode } from 'react'
import { Fault } from '../ui/fault.tsx'
import { fieldText } from '../ui/form-fields.ts'
import { visibleText } from '../ui/visible-text.ts'

/** What the form gives: the members of the request, as JSON has them. */
export type WebhookMembers = Readonly<Record<string, unknown>>

/** Creates or changes a webhook. The server checks; what it refuses is shown at the field that it names. */
export function WebhookForm(props: {
  readonly webhook?: Webhook
  readonly action: string
  readonly isBusy: boolean
  readonly error: unknown
  readonly onSubmit: (members: WebhookMembers) => void
}) {
  const { webhook, action, isBusy, error, onSubmit } = props
  const [notJson, setNotJson] = useState<Readonly<Record<string, string>>>({})
  const refused = error instanceof UnprocessableError ? error.errors : []
  const errorAt = (name: string): string | undefined =>
    notJson[name] ??
    (refused
      .filter(({ pointer = '' }) => pointer === `/${name}` || pointer.startsWith(`/${name}/`))
      .map(({ message }) => message)
      .join(' ') ||
      undefined)

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const { members, faults } = readFields(fields, webhook === undefined)
    setNotJson(faults)
    if (Object.keys(faults).length === 0) onSubmit(members)
  }

  return (
    <form className="card form" onSubmit={submit} noValidate>
      <FormField name="url" label="Address" error={errorAt('url')}>
        {(a11y) => (
          <input {...a11y} name="url" type="url" defaultValue={webhook?.url} placeholder="https://example.com/hook" />
        )}
      </FormField>
      <FormField name="events" label="Events: exact types, groups such as task.*, or *" error={errorAt('events')}>
        {(a11y) => <input {...a11y} name="events" defaultValue={webhook?.events.join(', ') ?? '*'} />}
      </FormField>
      <FormField name="description" label="Description" error={errorAt('description')}>
        {(a11y) => <input {...a11y} name="description" defaultValue={webhook?.description ?? ''} />}
      </FormField>
      <div className="form-row">
        {(['task_id', 'session_id', 'agent'] as const).map((name) => (
          <FormField key={name} name={name} label={`Only of this ${name.replace('_id', '')}`} error={errorAt(name)}>
            {(a11y) => <input {...a11y} name={name} defaultValue={webhook?.[name] ?? ''} />}
          </FormField>
        ))}
      </div>
      <MoreFields webhook={webhook} errorAt={errorAt} />
      <label className="check">
        <input type="checkbox" name="enabled" defaultChecked={webhook?.enabled ?? true} />
        <span>Enabled</span>
      </label>
      {error !== null && error !== undefined && <Fault error={error} />}
      <button type="submit" className="primary" disabled={isBusy}>
        {action}
      </button>
    </form>
  )
}

/** Filter, headers, rate and order. */
function MoreFields(props: {
  readonly webhook: Webhook | undefined
  readonly errorAt: (name: string) => string | undefined
}) {
  const { webhook, errorAt } = props
  return (
    <>
      <FormField
        name="filter"
        label='Filter (JSON), such as {"data.progress": {"$gte": 0.5}}'
        error={errorAt('filter')}
      >
        {(a11y) => (
          <textarea
            {...a11y}
            name="filter"
            rows={3}
            spellCheck={false}
            defaultValue={webhook?.filter == null ? '' : JSON.stringify(webhook.filter, null, 2)}
          />
        )}
      </FormField>
      <FormField
        name="headers"
        label={`Headers (JSON)${webhook === undefined ? '' : `: set are ${webhook.headers.join(', ') || 'none'}; empty keeps them`}`}
        error={errorAt('headers')}
      >
        {(a11y) => (
          <textarea {...a11y} name="headers" rows={2} spellCheck={false} placeholder='{"Authorization": "…"}' />
        )}
      </FormField>
      <div className="form-row">
        <FormField name="rate_limit" label="Deliveries a second at most" error={errorAt('rate_limit')}>
          {(a11y) => <input {...a11y} name="rate_limit" inputMode="numeric" defaultValue={webhook?.rate_limit ?? ''} />}
        </FormField>
        <FormField name="ordering" label="Order" error={errorAt('ordering')}>
          {(a11y) => (
            <select {...a11y} name="ordering" defaultValue={webhook?.ordering ?? 'none'}>
              <option value="none">none: as fast as possible</option>
              <option value="task">by task: one after the other</option>
            </select>
          )}
        </FormField>
      </div>
    </>
  )
}

/** What ties a field to its error for screen readers. */
interface FieldA11y {
  readonly id: string
  readonly 'aria-invalid': boolean
  readonly 'aria-describedby': string | undefined
}

function FormField(props: {
  readonly name: string
  readonly label: string
  readonly error: string | undefined
  readonly children: (a11y: FieldA11y) => ReactNode
}) {
  const { label, error, children } = props
  const id = useId()
  const errorId = `${id}-error`
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-invalid': error !== undefined,
        'aria-describedby': error === undefined ? undefined : errorId,
      })}
      {error !== undefined && (
        <p id={errorId} className="field-error">
          {visibleText(error)}
        </p>
      )}
    </div>
  )
}

function readFields(
  fields: FormData,
  isNew: boolean,
): { readonly members: WebhookMembers; readonly faults: Readonly<Record<string, string>> } {
  const faults: Record<string, string> = {}
  const text = (name: string): string => fieldText(fields, name).trim()
  /** Empty is none. */
  const textOrNull = (name: string): string | null => text(name) || null
  const json = (name: string): unknown => {
    try {
      return text(name) === '' ? null : JSON.parse(text(name))
    } catch (error) {
      faults[name] = `This is no JSON: ${String(error)}`
      return null
    }
  }
  const headers = json('headers')
  const members = {
    url: text('url'),
    events: text('events')
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
    description: textOrNull('description'),
    task_id: textOrNull('task_id'),
    session_id: textOrNull('session_id'),
    agent: textOrNull('agent'),
    filter: json('filter'),
    ...(headers === null && !isNew ? {} : { headers }),
    rate_limit: text('rate_limit') === '' ? null : Number(text('rate_limit')),
    ordering: text('ordering'),
    enabled: fields.get('enabled') !== null,
  }
  return { members, faults }
}
