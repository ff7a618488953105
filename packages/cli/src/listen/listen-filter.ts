import type { Ariftly } from '@ariftly/sdk'
import { compileFilter } from '@ariftly/webhook-filter'
import { expandTypes, type TypeName } from '../stream/expand-types.ts'
import type { ListenOptions } from './listen-options.ts'
import type { ListenFilter } from './listen-state.ts'

/** Whether an event is to be forwarded. */
export type Wants = (event: {
  readonly type: string
  readonly agent: string | null
  readonly task_id: string | null
  readonly session_id: string | null
  readonly data: unknown
}) => boolean

/** The filter that was asked for: that of the options, or that of a webhook, which is read. */
export async function readListenFilter(client: Ariftly, o: ListenOptions, signal: AbortSignal): Promise<ListenFilter> {
  if (o.webhook === undefined) {
    const { task, session, agent } = o
    const events = [...new Set(o.events)].toSorted()
    const place = { task_id: task ?? null, session_id: session ?? null, agent: agent ?? null }
    return { events, ...place, webhook: null, filter: null }
  }
  const webhook = await client.webhooks.get(o.webhook, { signal, maxRetries: 0 })
  const { task_id, session_id, agent, filter } = webhook
  return {
    events: webhook.events.toSorted(),
    task_id,
    session_id,
    agent,
    webhook: webhook.id,
    filter,
  }
}

/** The exact types to stream; undefined for all. The catalogue is read where there are groups. Throws a CliError for an unknown type. */
export async function typesOf(
  client: Ariftly,
  { events }: ListenFilter,
  signal: AbortSignal,
): Promise<readonly TypeName[] | undefined> {
  if (events.length === 0) return undefined
  const types = await client.eventTypes.list({ signal, maxRetries: 0 }).toArray({ limit: 1000 })
  return expandTypes(
    events,
    types.map(({ type }) => type),
  )
}

/** What of the filter the stream cannot be narrowed to. */
export function compileWants({ filter }: ListenFilter): Wants {
  if (filter === null) return () => true
  const { matches } = compileFilter(filter)
  return ({ type, agent, task_id: taskId, session_id: sessionId, data }) =>
    matches({ type, agent, taskId, sessionId }, { data: () => data })
}
