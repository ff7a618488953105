import { EVENT_TYPES, newEventId, typeIdToUuid } from '@ariftly/events'
import { createRandom } from '@ariftly/testkit'

/** Version of the generated history; another version is loaded again. */
export const ROWS_VERSION = 1
/** Whose events are queried; others share the table with it. */
export const TENANT = 'default'

const DAYS = 80
const DAY_MS = 86_400_000
const TENANT_SHARE = 0.8
const AGENTS = 200

/** Names of the columns of {@link makeRows}, for COPY. */
export const ROW_COLUMNS =
  'tenant_id, id, type, task_id, agent, session_id, epoch, partition, "offset", appended_at, data'

/**
 * Yields `count` rows of `events` in chunks of COPY's text format, in order of time over the last 80 days. Tasks run side by
 * side: most have some 20 events, one in a hundred has 2,000. Types and agents are skewed as in a fleet, from six events in ten
 * down to one in a thousand.
 */
export function* makeRows(count: number, nowMs: number): Generator<string> {
  const random = createRandom(4)
  const running = Array.from({ length: 500 }, () => newTask(random))
  const startMs = nowMs - DAYS * DAY_MS
  let chunk = ''
  for (let index = 0; index < count; index += 1) {
    const slot = Math.floor(random() * running.length)
    const task = running[slot] ?? newTask(random)
    if ((task.left -= 1) === 0) running[slot] = newTask(random)
    const ms = startMs + Math.floor((index / count) * DAYS * DAY_MS)
    chunk += row(task, pickType(random()), ms, index)
    if (chunk.length > 262_144) {
      yield chunk
      chunk = ''
    }
  }
  yield chunk
}

interface Task {
  readonly id: string
  readonly tenant: string
  readonly agent: string
  readonly session: string
  left: number
}

let tasks = 0

function newTask(random: () => number): Task {
  const number = tasks++
  const tenant = random() < TENANT_SHARE ? TENANT : `tenant-${Math.floor(random() * 20)}`
  // The square makes a few agents busy and many quiet.
  const agent = `agent-${Math.floor(random() ** 2 * AGENTS)}`
  const left = random() < 0.01 ? 2000 : 1 + Math.floor(random() * 40)
  return { id: `task_${String(number).padStart(26, '0')}`, tenant, agent, session: `session_${number >> 2}`, left }
}

/** Shares of the types in the order of the catalogue. */
const SHARES = [0.06, 0.6, 0.05, 0.01, 0.06, 0.02, 0.001, 0.1, 0.009, 0.09] as const

function pickType(at: number): string {
  let sum = 0
  for (const [index, share] of SHARES.entries()) {
    sum += share
    if (at < sum) return EVENT_TYPES[index] ?? 'task.progress'
  }
  return 'task.progress'
}

function row(task: Task, type: string, ms: number, index: number): string {
  const data = `{"task_id":"${task.id}","message":"Analyzing document ${index}","progress":0.3,"padding":"${PADDING}"}`
  const columns = [task.tenant, typeIdToUuid('evt', newEventId(ms)), type, task.id, task.agent, task.session]
  const place = [1, index % 12, Math.floor(index / 12), new Date(ms).toISOString()]
  return `${[...columns, ...place, data].join('\t')}\n`
}

const PADDING = 'x'.repeat(150)
