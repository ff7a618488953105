export { SHOWN_COLUMNS, toShownEvent, type LoggedEvent, type ShownColumns, type ShownEvent } from './event-row.ts'
export { dropExpiredEventPartitions, ensureEventPartitions, getEvent, readEventsKeptFrom } from './events.ts'
export { collationOf, LIST_SETTINGS, listEvents, listLoggedEvents } from './list-events.ts'
export type { ListEventsOptions } from './list-events.ts'
