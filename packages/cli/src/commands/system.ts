import type { System } from '@ariftly/sdk'
import type { Command } from '../command/command.ts'
import type { Context } from '../command/context.ts'
import { printItems, printObject, type Column } from '../command/print.ts'
import { show } from '../terminal/show.ts'

type Backlog = System['backlogs'][number]
type Partition = NonNullable<System['log']>['partitions'][number]

/** `ariftly system`: how far the log is projected, which processes run, and what waits. */
export const system: Command = {
  name: 'system',
  summary: 'Show how far the log is projected, which processes run, and the largest backlogs of webhooks.',
  description:
    'It needs the scope platform, and shows what the database knows. Where the log ends, and how far streams lag, it does not know: ask projection status on the server.',
  routes: ['GET /v1/system'],
  output: 'api:System',
  example: 'ariftly system',
  async run(context) {
    const client = await context.client()
    const found = await client.system.get({ signal: context.signal })
    if (context.json) await printObject(context, found)
    else await printSystem(context, found)
  },
}

async function printSystem(context: Context, { as_of, log, processes, deliveries, backlogs }: System): Promise<void> {
  const { out } = context
  const atLeast = deliveries.complete ? '' : 'at least '
  await out.line(show`as of       ${as_of}`)
  await out.line(show`log         ${log === null ? 'none yet' : `epoch ${log.epoch} of ${log.topic}`}`)
  await out.line(show`deliveries  ${atLeast}${deliveries.pending_count} pending, ${atLeast}${deliveries.due_count} due`)
  await printTable(context, log?.partitions ?? [], PARTITIONS)
  await printTable(context, processes, PROCESSES)
  await printTable(context, backlogs, BACKLOGS)
}

/** A table with an empty line before it; nothing when there is nothing in it. */
async function printTable<T extends object>(
  context: Context,
  items: readonly T[],
  columns: readonly Column<T>[],
): Promise<void> {
  if (items.length === 0) return
  await context.out.line(show``)
  const shown = items.map((value) => ({ value, text: JSON.stringify(value) }))
  await printItems(context, shown, columns, true)
}

const PARTITIONS: readonly Column<Partition>[] = [
  { title: 'PARTITION', value: ({ partition }) => partition },
  { title: 'PROJECTED', value: ({ projected_offset }) => projected_offset },
  { title: 'OF', value: ({ appended_at }) => appended_at },
  { title: 'MATCHED', value: ({ matched_offset }) => matched_offset },
  { title: 'AT', value: ({ matched_at }) => matched_at },
]

const PROCESSES: readonly Column<System['processes'][number]>[] = [
  { title: 'SERVICE', value: ({ service }) => service },
  { title: 'SEEN', value: ({ seen_at }) => seen_at },
  { title: 'ID', value: ({ id }) => id },
]

const BACKLOGS: readonly Column<Backlog>[] = [
  { title: 'WEBHOOK', value: ({ webhook_id }) => webhook_id },
  { title: 'TENANT', value: ({ tenant }) => tenant },
  { title: 'STATE', value: stateOf },
  { title: 'PENDING', value: ({ pending_count }) => pending_count },
  { title: 'DUE', value: ({ due_count }) => due_count },
  { title: 'OLDEST', value: ({ oldest_pending_at }) => oldest_pending_at },
]

function stateOf({ enabled, disabled_reason, failing_since }: Backlog): string {
  if (!enabled) return disabled_reason ?? 'deleted'
  return failing_since === null ? 'enabled' : 'failing'
}
