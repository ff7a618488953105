import { Type } from '@sinclair/typebox'
import type { CatalogueEntry } from './entry.ts'

/** Members of `data` of a `task.complete`. */
const taskCompleteData = Type.Object({
  artifact_count: Type.Optional(Type.Integer({ minimum: 0 })),
  result: Type.Optional(Type.Unknown()),
})

/** `task.complete`: An agent completes a task. */
export const taskComplete: CatalogueEntry = {
  type: 'task.complete',
  description: 'An agent completes a task',
  schema: taskCompleteData,
  example: { artifact_count: 1, result: { summary: 'Ready in three of five areas' } },
}
