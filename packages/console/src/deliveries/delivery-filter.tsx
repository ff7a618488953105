import type { FormEvent } from 'react'
import { Field, FilterButtons, TimeFields } from '../events/filter-form.tsx'
import { filledFields } from '../ui/form-fields.ts'
import { DELIVERY_STATUSES, type DeliverySearch } from './delivery-search.ts'

const ERROR_CLASSES = [
  'http_3xx',
  'http_4xx',
  'http_5xx',
  'timeout',
  'tls_error',
  'connection_refused',
  'connection_reset',
  'dns_error',
  'blocked',
]

/** Fields of the filter of deliveries. */
export function DeliveryFilter(props: {
  readonly search: DeliverySearch
  /** Set by the page, and no field then. */
  readonly webhookId?: string | undefined
  readonly onChange: (search: DeliverySearch) => void
}) {
  const { search, webhookId, onChange } = props

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    onChange(filledFields(event.currentTarget))
  }

  return (
    <form className="filters" onSubmit={submit} key={JSON.stringify(search)} role="search">
      <Choice name="status" label="Status" value={search.status} options={DELIVERY_STATUSES} />
      <Choice name="error_class" label="Error" value={search.error_class} options={ERROR_CLASSES} />
      <Field name="type" label="Type" value={search.type} />
      {webhookId === undefined && <Field name="webhook_id" label="Webhook" value={search.webhook_id} />}
      <Field name="task_id" label="Task" value={search.task_id} />
      <Field name="event_id" label="Event" value={search.event_id} />
      <TimeFields from="since" after={search.after} before={search.before} />
      <FilterButtons onClear={() => onChange({})} />
    </form>
  )
}

/** A labelled choice; the first one is any. */
function Choice(props: {
  readonly name: string
  readonly label: string
  readonly value?: string | undefined
  readonly options: readonly string[]
  /** Instead of `any`. */
  readonly none?: string
}) {
  const { name, label, value = '', options, none = 'any' } = props
  return (
    <label className="field">
      <span>{label}</span>
      <select name={name} defaultValue={value}>
        <option value="">{none}</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  )
}
