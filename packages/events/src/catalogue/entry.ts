import { type TSchema, Type } from '@sinclair/typebox'
import type { EventType } from '../event-type.ts'

/** What the catalogue says about one type: one file of this folder. */
export interface CatalogueEntry {
  readonly type: EventType
  /** "Emitted when" of the specification. */
  readonly description: string
  /** JSON Schema (TypeBox) of `data` without its first member; unknown members are kept. */
  readonly schema: TSchema
  /** A posted event's `data`, used by docs, tests and `/test` of webhooks. */
  readonly example: Readonly<Record<string, unknown>>
}

/** The schema of a string that is one of `values`. */
export function oneOf<const V extends string>(...values: readonly V[]) {
  return Type.Unsafe<V>({ type: 'string', enum: values })
}
