import { eventIdMs, formatTimestamp, renderEvent } from '@ariftly/events'
import {
  cursorParam,
  identifierParam,
  instantParam,
  limitParam,
  readQuery,
  type ApiHandler,
  type CursorCodec,
} from '@ariftly/http'
import type { Pool } from '@ariftly/store'
import { listTasks, type ListedTask } from './read-tasks.ts'
import { clientGone } from '../client-gone.ts'
import { sendList } from '../send-list.ts'
import type { TenantGate } from '../tenant-gate.ts'

const QUERY = {
  agent: identifierParam(),
  after: instantParam(),
  before: instantParam(),
  limit: limitParam(100),
  cursor: cursorParam(),
}

/** Handles `GET /v1/tasks`: a page of tasks by their `task.created`, newest first, each with its newest event. */
export function createListTasks(o: { pool: Pool; gate: TenantGate; cursors: CursorCodec }): ApiHandler {
  return async (call, _req, res) => {
    const { tenant } = call.caller
    const query = readQuery(call.url, QUERY)
    const window = {
      ...(query.agent === undefined ? {} : { agent: query.agent }),
      ...(query.after === undefined ? {} : { afterMs: query.after.floorMs }),
      ...(query.before === undefined ? {} : { beforeMs: query.before.ceilMs }),
    }
    const bound = { tenant, ...window }
    const from = query.cursor === undefined ? {} : { cursorId: o.cursors.decode('tasks', bound, query.cursor) }
    const list = { tenant, limit: query.limit, ...window, ...from }
    const { tasks, hasMore } = await o.gate(call, () => listTasks(o.pool, list), clientGone(res))
    const last = hasMore ? tasks.at(-1) : undefined
    const next = last === undefined ? null : o.cursors.encode('tasks', bound, last.created.id)
    sendList(res, tasks.map(renderTask), next)
  }
}

/** A task as the API shows it. The bytes of its events are those of lists of events. */
export function renderTask({ created, last }: ListedTask): Buffer {
  const head = {
    object: 'task',
    id: created.taskId,
    created_at: formatTimestamp(eventIdMs(created.id)),
    agent: created.agent,
  }
  const parts = [
    JSON.stringify(head).slice(0, -1),
    ',"created":',
    renderEvent(created),
    ',"last":',
    renderEvent(last),
    '}',
  ]
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
}
