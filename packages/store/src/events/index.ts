export type { LoggedEvent, ShownEvent } from './event-row.ts'
export { dropExpiredEventPartitions, ensureEventPartitions, getEvent, readEventsKeptFrom } from './events.ts'
export { LIST_SETTINGS, listEvents, listLoggedEvents } from './list-events.ts'
export type { ListEventsOptions } from './list-events.ts'
