import { Type } from '@sinclair/typebox'
import type { CatalogueEntry } from './entry.ts'

/** Members of `data` of a `task.progress`. */
const taskProgressData = Type.Object({
  message: Type.String(),
  progress: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
})

/** `task.progress`: An agent emits a progress update. */
export const taskProgress: CatalogueEntry = {
  type: 'task.progress',
  description: 'An agent emits a progress update',
  schema: taskProgressData,
  example: { message: 'Analyzing document', progress: 0.3 },
}
