import { Type } from '@sinclair/typebox'
import type { CatalogueEntry } from './entry.ts'

/** Members of `data` of a `session.closed`. */
const sessionClosedData = Type.Object({
  reason: Type.Optional(Type.String()),
})

/** `session.closed`: A session ends. */
export const sessionClosed: CatalogueEntry = {
  type: 'session.closed',
  description: 'A session ends',
  schema: sessionClosedData,
  example: { reason: 'completed' },
}
