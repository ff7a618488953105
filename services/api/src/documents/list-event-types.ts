import { EVENT_TYPES, type EventType } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { readQuery, type ApiHandler } from '@ariftly/http'
import { sendList } from '../send-list.ts'

/** Handles `GET /v1/event-types`: all of them on one page, with schema and example of `data`. */
export function createListEventTypes(): ApiHandler {
  const types = EVENT_TYPES.map((type) => Buffer.from(JSON.stringify(renderEventType(type))))
  return ({ url }, _req, res) => {
    readQuery(url, {})
    sendList(res, types, null)
  }
}

/** A type of events as the API shows it. */
export function renderEventType(type: EventType): Record<string, unknown> {
  const { description, schema, example } = catalogue[type]
  return { object: 'event_type', type, description, schema, example }
}
