import { type Static, Type } from '@sinclair/typebox'
import type { CatalogueEntry } from './entry.ts'

/** Members of `data` of a `task.failed`. */
const taskFailedData = Type.Object({
  error: Type.Object({ message: Type.String(), code: Type.Optional(Type.String()) }),
  retryable: Type.Optional(Type.Boolean()),
})

/** The payload of a `task.failed`, known members only. */
export type TaskFailedData = Static<typeof taskFailedData>

/** `task.failed`: An agent reports failure. */
export const taskFailed: CatalogueEntry = {
  type: 'task.failed',
  description: 'An agent reports failure',
  schema: taskFailedData,
  example: { error: { message: 'The document could not be read', code: 'unreadable_document' }, retryable: true },
}
