import { mintEventId } from '../support/client-event-id.ts'
import type { PlannedEvent } from './ledger.ts'

/** The three tenants of the faults test. Task and agent names are the same in each, so that a mix-up shows. */
export const TENANTS = ['north', 'south', 'west'] as const

/** Tasks of each tenant: 67 + 67 + 66 = 200. */
const TASKS = { north: 67, south: 67, west: 66 } as const

const AGENTS = ['analyzer', 'writer', 'reviewer', 'team/planner-1'] as const

/** Share of each event type in a hundred events. */
const MIX: readonly (readonly [type: string, share: number, members: string])[] = [
  ['task.progress', 70, '"message":"Analyzing \\"document\\"","progress":0.30'],
  ['tool_call.executed', 9, '"tool":"search","status":"ok","duration_ms":12,"result":{"hits":[1,2.50]}'],
  ['artifact.emitted', 6, '"artifact_id":"art_1","type":"report","size_bytes":2048'],
  ['task.created', 4, '"title":"Größe \\u00e9"'],
  ['task.complete', 4, '"artifact_count":1'],
  ['task.failed', 2, '"error":{"message":"no","code":"e_1"},"retryable":true'],
  ['approval.requested', 3, '"approval_id":"apr_1","action":"deploy"'],
  ['approval.resolved', 2, '"approval_id":"apr_1","decision":"approved"'],
]

/**
 * The next event that a client of the tenant posts. Its `data` is one line with `task_id` first, so its exact bytes are expected
 * at each output; it has the event's id and owner for the checker, and numbers that a JSON round trip changes.
 */
export function planEvent(tenant: (typeof TENANTS)[number], random: () => number, nowMs: number): PlannedEvent {
  const id = mintEventId(nowMs)
  const taskId = `task_${Math.floor(random() * TASKS[tenant])}`
  const agent = AGENTS[Math.floor(random() * AGENTS.length)] ?? AGENTS[0]
  const [type, , members] = pickType(random() * 100)
  const mark = `"ledger_id":"${id}","owner":"${tenant}","exact":[1.0,9223372036854775807]`
  return { tenant, id, type, taskId, agent, data: `{"task_id":"${taskId}",${members},${mark}}` }
}

/** The id that `planEvent` wrote into the payload; empty if it is not there. */
export function ledgerIdOf(data: string): string {
  return /"ledger_id":"(evt_[0-9a-z]{26})"/.exec(data)?.[1] ?? ''
}

/** One line of the request body. */
export function requestLine(event: PlannedEvent): string {
  const { id, type, taskId, agent, data } = event
  return `{"id":"${id}","type":"${type}","task_id":"${taskId}","agent":"${agent}","data":${data}}`
}

function pickType(point: number): (typeof MIX)[number] {
  let sum = 0
  const found = MIX.find(([, share]) => {
    sum += share
    return point < sum
  })
  return found ?? ['task.progress', 0, '"message":"m"']
}
