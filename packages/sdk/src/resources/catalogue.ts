import type { EventTypeDescription, ListTasksQuery, StreamToken, StreamTokenRequest } from '../api-types.ts'
import type { CallOptions } from '../http/transport.ts'
import type { List } from '../lists.ts'
import type { Task } from '../types.ts'
import { Resource } from './resource.ts'

/** The types of events, with the schemas of their data (any key). */
export class EventTypes extends Resource {
  list(options?: CallOptions): List<EventTypeDescription> {
    return this.pages('/v1/event-types', {}, options)
  }
}

/** Tasks, by their `task.created` (scope `events:read`). */
export class Tasks extends Resource {
  /** Newest first, each with its newest event; `limit` is at most 100. */
  list(query?: ListTasksQuery, options?: CallOptions): List<Task> {
    return this.pages('/v1/tasks', query, options)
  }
}

/** Tokens that open one stream, for browsers, where an API key must not be (scope `events:read`). */
export class StreamTokens extends Resource {
  /** The token is bound to this filter and to the key that asks; `ttl_s` is 10 to 86,400, default 3,600. */
  async create(request: StreamTokenRequest = {}, options?: CallOptions): Promise<StreamToken> {
    return await this.write('POST', '/v1/stream-tokens', request, options)
  }
}
