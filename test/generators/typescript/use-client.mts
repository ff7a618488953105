import createClient from 'openapi-fetch'
import type { components, paths } from './generated.js'

type Schemas = components['schemas']
type ApiEvent = Schemas['Event']
type EventOf<T extends string> = Extract<ApiEvent, { type: T }>

/** Narrows an event to one type: a comparison alone does not, as the last alternative of the union has any string as its type. */
function isOf<T extends ApiEvent['type']>(event: ApiEvent, type: T): event is EventOf<T> {
  return event.type === type
}

// Members with a default may be left out, and a filter is more than an object.
const WEBHOOK: Schemas['NewWebhook'] = {
  url: 'https://your-server.com/ariftly-webhook',
  events: ['task.*'],
  filter: { 'data.progress': { $gte: 0.5 }, $or: [{ agent: 'analyzer' }, { agent: { $exists: false } }] },
}
// @ts-expect-error There is no such type.
const MISSPELT: Schemas['NewWebhook']['events'] = ['task.completed']

/** Posts one event and a batch of two, lists them, and reads the first. */
export async function useClient(baseUrl: string, key: string, task: string): Promise<object> {
  const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } })
  const first = await client.POST('/v1/events', {
    body: { type: 'task.progress', task_id: task, data: { message: 'Analyzing document', progress: 0.3, own: 1 } },
  })
  const second = await client.POST('/v1/events', {
    body: [
      { type: 'session.message', session_id: 's', task_id: task, data: { role: 'tool', content: [{ text: 'a' }] } },
      { type: 'task.complete', task_id: task, data: { artifact_count: 2 } },
    ],
  })
  const results = [...(first.data?.data ?? []), ...(second.data?.data ?? [])]
  const events = await listed(results.length)
  const last = events.at(-1)
  const id = results[0]?.status === 'accepted' ? results[0].id : ''
  const { data: event } = await client.GET('/v1/events/{id}', { params: { path: { id }, query: { include: ['log'] } } })
  return {
    statuses: results.map(({ status }) => status),
    types: events.map(({ type }) => type),
    message: event !== undefined && isOf(event, 'task.progress') ? event.data.message : undefined,
    progress: event !== undefined && isOf(event, 'task.progress') ? event.data.progress : undefined,
    own: event?.data['own'],
    hasLog: event?.log !== undefined,
    later: last?.data['artifact_count'],
    webhook: WEBHOOK.events.length + MISSPELT.length,
  }

  async function listed(count: number): Promise<ApiEvent[]> {
    for (;;) {
      const { data } = await client.GET('/v1/events', {
        params: { query: { task_id: task, order: 'asc', after: '2026-01-01T00:00:00Z' } },
      })
      if ((data?.data.length ?? 0) >= count) return data?.data ?? []
    }
  }
}
