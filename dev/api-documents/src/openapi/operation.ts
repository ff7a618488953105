import type { RouteName } from '@ariftly/http'
import type { TSchema } from '@sinclair/typebox'

/** Headings of the reference, in its order. */
export const TAGS = [
  { name: 'Events', description: 'Post events and query the log.' },
  { name: 'Streams', description: 'Follow the log as Server-Sent Events.' },
  { name: 'Webhooks', description: 'Have events delivered as signed requests.' },
  { name: 'Deliveries', description: 'See what was delivered, and send it again.' },
  { name: 'API keys', description: 'API keys: who may do what.' },
  { name: 'Tenants', description: 'Tenants and their limits; the audit log.' },
  { name: 'Dead letters', description: 'Records of the log that are no events.' },
  { name: 'System', description: 'The state of the installation, for its operators.' },
  { name: 'Documents', description: 'This reference.' },
] as const

/** A heading of {@link TAGS}. */
type Tag = (typeof TAGS)[number]['name']

/** A parameter of the query. */
export interface QueryParameter {
  readonly name: string
  readonly description: string
  readonly schema: TSchema
  readonly example?: unknown
  /** The text form is a comma list, not a repeated parameter. */
  readonly commaList?: boolean
}

/** One example of a body, under a name of its own. */
export interface Example {
  readonly name: string
  readonly summary: string
  /** An object for JSON, a text for forms and NDJSON. */
  readonly value: unknown
}

/** A body by content type. */
export interface Content {
  readonly type:
    | 'application/json'
    | 'application/x-ndjson'
    | 'application/cloudevents+json'
    | 'application/cloudevents-batch+json'
    | 'application/x-www-form-urlencoded'
    | 'text/event-stream'
    | 'text/html'
    | 'text/markdown'
    | 'text/plain'
    | 'text/javascript'
    | 'image/svg+xml'
    | 'image/x-icon'
    | 'text/css'
  /** Left out where the description says what it is: a generator takes each schema here for a form that its client must send. */
  readonly schema?: TSchema
  readonly examples?: readonly Example[]
}

/** A header of an answer. */
export interface AnswerHeader {
  readonly name: string
  readonly description: string
  readonly schema: TSchema
}

/** An answer that is no problem. */
export interface Answer {
  readonly status: 200 | 201 | 202 | 204 | 207 | 302 | 304
  readonly description: string
  readonly headers?: readonly AnswerHeader[]
  readonly content?: readonly Content[]
}

/** A problem that a route answers with, and the codes (of the problem or of its errors) that it may carry. */
export interface ProblemAnswer {
  readonly status: 400 | 401 | 403 | 404 | 408 | 409 | 413 | 415 | 422 | 429 | 503
  readonly codes: readonly string[]
  readonly description?: string
  /** Also a page, for `Accept: text/html`. */
  readonly asPage?: boolean
  /** In addition to `X-Request-Id` and `Retry-After`. */
  readonly headers?: readonly AnswerHeader[]
}

/** What the reference says about one route, in addition to the route table. */
export interface OperationDoc {
  readonly tag: Tag
  /** Markdown. */
  readonly description: string
  readonly query?: readonly QueryParameter[]
  readonly headers?: readonly QueryParameter[]
  readonly body?: { readonly required: boolean; readonly description?: string; readonly content: readonly Content[] }
  readonly answers: readonly Answer[]
  /** Those of every route with a key (400, 401, 403, 503) are added by the builder. */
  readonly problems: readonly ProblemAnswer[]
}

/** Docs of some routes. */
export type Operations<N extends RouteName> = Readonly<Record<N, OperationDoc>>
