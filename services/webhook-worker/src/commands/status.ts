import { listBacklogs } from '@ariftly/store/deliveries'
import type { CommandContext } from './command.ts'

const WEBHOOKS_MAX = 50
const COLUMNS = [
  'webhook',
  'tenant',
  'standing',
  'pending',
  'due',
  'queued',
  'attempting',
  'failures',
  'oldest',
] as const

/** Prints the webhooks with the most unfinished deliveries, and what holds them up. */
export async function status({ pool, print }: CommandContext): Promise<number> {
  const backlogs = await listBacklogs(pool, { limit: WEBHOOKS_MAX })
  const lines = backlogs.map((one) => [
    one.webhookId,
    one.tenant,
    one.standing,
    ...[one.pending, one.due, one.queued, one.attempting, one.consecutiveFailures].map(String),
    one.oldestS === null ? '-' : `${Math.round(one.oldestS)} s`,
  ])
  const widths = COLUMNS.map((name, index) => Math.max(name.length, ...lines.map((cells) => cells[index]?.length ?? 0)))
  for (const cells of [COLUMNS, ...lines]) {
    print(
      cells
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  }
  const unfinished = backlogs.reduce((sum, one) => sum + one.pending + one.queued + one.attempting, 0)
  print(
    `${unfinished} unfinished deliveries of ${backlogs.length} webhooks${backlogs.length < WEBHOOKS_MAX ? '' : ' (those with the most)'}`,
  )
  return 0
}
