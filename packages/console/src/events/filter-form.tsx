import { useQuery } from '@tanstack/react-query'
import { useId, useState, type FormEvent, type ReactNode } from 'react'
import { useKey } from '../session/session.ts'
import { filledFields } from '../ui/form-fields.ts'
import type { EventSearch } from './event-filter.ts'

/** Fields of the filter. It takes effect when it is sent, and is then in the address. */
export function FilterForm(props: {
  readonly search: EventSearch
  readonly onChange: (search: EventSearch) => void
  /** More fields. */
  readonly children?: ReactNode
}) {
  const { search, onChange, children } = props
  const listId = useId()
  const { client } = useKey()
  const types = useQuery({
    queryKey: ['event-types'],
    queryFn: async ({ signal }) => await client.eventTypes.list({ signal }).toArray({ limit: 500 }),
    staleTime: Infinity,
  })

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    onChange(filledFields(event.currentTarget))
  }

  return (
    // The key creates the fields again when the address changes by a link.
    <form className="filters" onSubmit={submit} key={JSON.stringify(search)} role="search">
      <Field name="types" label="Types" value={search.types} list={listId} placeholder="task.progress" />
      <datalist id={listId}>
        {types.data?.map(({ type }) => (
          <option key={type} value={type}>
            {type}
          </option>
        ))}
      </datalist>
      <Field name="task_id" label="Task" value={search.task_id} />
      <Field name="session_id" label="Session" value={search.session_id} />
      <Field name="agent" label="Agent" value={search.agent} />
      {children}
      <FilterButtons onClear={() => onChange({})} />
    </form>
  )
}

/** The buttons of a filter, which stay together. */
export function FilterButtons({ onClear }: { readonly onClear: () => void }) {
  return (
    <div className="actions">
      <button type="submit">Filter</button>
      <button type="button" className="plain" onClick={onClear}>
        Clear
      </button>
    </div>
  )
}

/** The fields of a range of `created_at`, side by side. */
export function TimeFields(props: {
  /** Says whether the API takes the moment itself: "since", or "after". */
  readonly from: 'since' | 'after'
  readonly after: string | undefined
  readonly before: string | undefined
}) {
  const { from, after, before } = props
  return (
    <div className="times">
      <Field name="after" label={`Created ${from}`} value={after} placeholder="2026-01-31T08:00:00Z" />
      <Field name="before" label="Created before" value={before} />
    </div>
  )
}

/** A labelled field of a form. */
export function Field(props: {
  readonly name: string
  readonly label: string
  readonly value?: string | undefined
  readonly type?: string
  readonly list?: string
  readonly placeholder?: string
  readonly required?: boolean
}) {
  const { label, value = '', ...rest } = props
  const [text, setText] = useState(value)
  return (
    <label className="field">
      <span>{label}</span>
      <input
        {...rest}
        value={text}
        onChange={(event) => setText(event.target.value)}
        autoComplete="off"
        spellCheck={false}
      />
    </label>
  )
}
