import { EVENT_TYPES } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { readQuery, type ApiHandler } from '@ariftly/http'
import { sendList } from '../send-list.ts'

/** Handles `GET /v1/event-types`: all of them on one page, with schema and example of `data`. */
export function createListEventTypes(): ApiHandler {
  const types = EVENT_TYPES.map((type) => {
    const { description, schema, example } = catalogue[type]
    return Buffer.from(JSON.stringify({ object: 'event_type', type, description, schema, example }))
  })
  return ({ url }, _req, res) => {
    readQuery(url, {})
    sendList(res, types, null)
  }
}
