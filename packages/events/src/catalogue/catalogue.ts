import type { EventType } from '../event-type.ts'
import { approvalRequested } from './approval-requested.ts'
import { approvalResolved } from './approval-resolved.ts'
import { artifactEmitted } from './artifact-emitted.ts'
import type { CatalogueEntry } from './entry.ts'
import { sessionClosed } from './session-closed.ts'
import { sessionMessage } from './session-message.ts'
import { taskComplete } from './task-complete.ts'
import { taskCreated } from './task-created.ts'
import { taskFailed } from './task-failed.ts'
import { taskProgress } from './task-progress.ts'
import { toolCallExecuted } from './tool-call-executed.ts'

/** The ten event types: description, JSON Schema of `data` and one example each. */
export const catalogue: Readonly<Record<EventType, CatalogueEntry>> = {
  'task.created': taskCreated,
  'task.progress': taskProgress,
  'task.complete': taskComplete,
  'task.failed': taskFailed,
  'artifact.emitted': artifactEmitted,
  'approval.requested': approvalRequested,
  'approval.resolved': approvalResolved,
  'session.message': sessionMessage,
  'session.closed': sessionClosed,
  'tool_call.executed': toolCallExecuted,
}
