/** A value that members are compared with. Numbers are doubles, integers among them within ±(2^53 - 1). */
export type FilterScalar = string | number | boolean | null

/** Operators on one member, joined by and. */
export interface FilterOperators {
  readonly $eq?: FilterScalar
  readonly $in?: readonly FilterScalar[]
  readonly $gt?: string | number
  readonly $gte?: string | number
  readonly $lt?: string | number
  readonly $lte?: string | number
  readonly $exists?: boolean
  readonly $not?: FilterCondition
}

/** What a member must be; a bare value is short for `{"$eq": value}`. */
export type FilterCondition = FilterScalar | FilterOperators

/**
 * A payload filter as callers write it. Keys are `type`, `agent`, `task_id`, `session_id`, a path `data.a.b`, or `$and` and
 * `$or` with further filters; all keys must hold.
 */
export interface WebhookFilter {
  readonly $and?: readonly WebhookFilter[]
  readonly $or?: readonly WebhookFilter[]
  readonly [key: string]: FilterCondition | readonly WebhookFilter[] | undefined
}

/** What a filter may hold. */
export const FILTER_LIMITS = {
  /** UTF-8 bytes of the filter as compact JSON. */
  bytesMax: 4096,
  /** All operators, `$and`, `$or`, `$not` and the short form for `$eq` among them. */
  operatorsMax: 20,
  /** Filters and operator objects inside each other. */
  depthMax: 5,
  /** Values of one `$in`. */
  valuesMax: 100,
} as const

/** Members of an event that a filter names directly. */
export const ATTRIBUTES = ['type', 'agent', 'task_id', 'session_id'] as const

/** The names on the way to a member of `data`, or undefined for a key that is no such path. */
export function dataPath(key: string): readonly string[] | undefined {
  const [root, ...names] = key.split('.')
  return root === 'data' && names.length > 0 && names.every((name) => name !== '') ? names : undefined
}
