import { Type } from '@sinclair/typebox'
import type { CatalogueEntry } from './entry.ts'

/** Members of `data` of a `task.failed`. */
const taskFailedData = Type.Object({
  error: Type.Object({ message: Type.String(), code: Type.Optional(Type.String()) }),
  retryable: Type.Optional(Type.Boolean()),
})

/** `task.failed`: An agent reports failure. */
export const taskFailed: CatalogueEntry = {
  type: 'task.failed',
  description: 'An agent reports failure',
  schema: taskFailedData,
  example: { error: { message: 'The document could not be read', code: 'unreadable_document' }, retryable: true },
}
