// The sub-paths of this package are webhooks/index.ts and node/index.ts.
export { Ariftly } from './client.ts'
export type { Events } from './events.ts'
export type { ApiKeys, Audit, DeadLetters, SystemStatus, Tenants } from './resources/administration.ts'
export type { EventTypes, StreamTokens, Tasks } from './resources/catalogue.ts'
export type { Deliveries, Redeliveries } from './resources/deliveries.ts'
export type { Webhooks } from './resources/webhooks.ts'
export type { ApiRequest, ClientOptions, IssuedStreamToken, LogLevel, SendOptions } from './options.ts'
export type { List, Page } from './lists.ts'
export { isTemporary } from './http/temporary.ts'
export type { Answer, CallOptions } from './http/transport.ts'
export type { CreateOptions } from './resources/resource.ts'
export type { SentEvent } from './send/pending-event.ts'
export type { SendCallOptions } from './send/sender.ts'
export type { EventStream, StreamOptions } from './stream/event-stream.ts'
export type { StreamState } from './stream/stream-state.ts'
export { localStoragePositionStore, type PositionStore } from './stream/position-store.ts'
export type { SendStats } from './send/send-stats.ts'
export type { Spool, SpooledEvent, SpoolEntry } from './send/spool.ts'
export {
  AriftlyError,
  ApiError,
  AuthenticationError,
  BadRequestError,
  ClosedError,
  ConflictError,
  ConnectionError,
  EventRefusedError,
  NotFoundError,
  PermissionDeniedError,
  ProtocolError,
  RateLimitError,
  ServerError,
  TimeoutError,
  UnprocessableError,
  type ProblemError,
  type Refusal,
} from './errors.ts'
export type {
  AriftlyEvent,
  EventOf,
  EventType,
  LaterEvent,
  LaterEventType,
  Logger,
  NewEvent,
  QueriedEvent,
  RawJson,
  StreamedEvent,
  StreamFilter,
  StreamItem,
  StreamReset,
  Task,
} from './types.ts'
export type * from './api-types.ts'
