import { useNavigate } from '@tanstack/react-router'
import { useRef, type FormEvent } from 'react'
import { useShortcut } from '../shell/shortcuts.ts'

/** Takes any id and opens its page: events, webhooks, deliveries, redeliveries; all else is a task. */
export function IdBox() {
  const input = useRef<HTMLInputElement>(null)
  const navigate = useNavigate()
  useShortcut('/', 'Go to the field for ids', () => input.current?.focus())

  function submit(event: FormEvent): void {
    event.preventDefault()
    const id = input.current?.value.trim() ?? ''
    if (id.startsWith('evt_')) void navigate({ to: '/events/$id', params: { id } })
    else if (id.startsWith('whk_')) void navigate({ to: '/webhooks/$id', params: { id } })
    else if (id.startsWith('dlv_')) void navigate({ to: '/deliveries', search: { delivery: id } })
    else if (id.startsWith('rdl_')) void navigate({ to: '/deliveries', search: { redelivery: id } })
    else if (id.startsWith('session')) void navigate({ to: '/events', search: { session_id: id } })
    else if (id !== '') void navigate({ to: '/tasks/$id', params: { id } })
  }

  return (
    <form className="id-box" onSubmit={submit}>
      <label className="field">
        <span>Id of an event, task, webhook, delivery or redelivery</span>
        <input ref={input} name="id" autoComplete="off" spellCheck={false} placeholder="evt_… or a task" />
      </label>
      <button type="submit">Open</button>
    </form>
  )
}
