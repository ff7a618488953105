import { Type } from '@sinclair/typebox'
import type { CatalogueEntry } from './entry.ts'

/** Members of `data` of a `task.created`. */
const taskCreatedData = Type.Object({
  title: Type.Optional(Type.String()),
  input: Type.Optional(Type.Unknown()),
  parent_task_id: Type.Optional(Type.String()),
})

/** `task.created`: A task is dispatched. */
export const taskCreated: CatalogueEntry = {
  type: 'task.created',
  description: 'A task is dispatched',
  schema: taskCreatedData,
  example: {
    title: 'Assess AI readiness',
    input: { company: 'Example GmbH', locale: 'de-DE' },
    parent_task_id: 'task_01j9x8j0000000000000000000',
  },
}
