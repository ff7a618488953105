import { apiScript } from './neighbours/api-script.ts'
import type { Attack } from './neighbours/attack.ts'
import { INGEST_ATTACKS } from './neighbours/ingest-attacks.ts'
import { madeUpKeys } from './neighbours/made-up-keys.ts'
import { streamHistory } from './neighbours/stream-history.ts'
import { streamParameters } from './neighbours/stream-parameters.ts'
import { streamsUnread } from './neighbours/streams-unread.ts'
import { webhookBacklog } from './neighbours/webhook-backlog.ts'
import { webhookBurst } from './neighbours/webhook-burst.ts'
import { webhookDryRuns } from './neighbours/webhook-dry-runs.ts'
import { webhookFilters } from './neighbours/webhook-filters.ts'
import { webhookSlow } from './neighbours/webhook-slow.ts'
import type { Bench, Measurement } from './support/report.ts'

/** One file an attack. */
const ATTACKS: readonly Attack[] = [
  streamParameters,
  streamsUnread,
  streamHistory,
  webhookBurst,
  webhookBacklog,
  webhookSlow,
  webhookFilters,
  webhookDryRuns,
  madeUpKeys,
  ...INGEST_ATTACKS,
  apiScript,
]

/** Below this a p99 is noise of the machine, ms. */
const ALONE_MIN_MS = 10

/**
 * The effect of one tenant's attack on another: for each attack the victim's p99 during it against alone (at least 10 ms), each
 * the median of five windows; and against the control, where an attack has one.
 */
export const neighbours: Bench = async (say, { only } = {}) => {
  const attacks = ATTACKS.filter(({ name }) => only === undefined || name === only)
  if (attacks.length === 0) throw new Error(`the attacks are ${ATTACKS.map(({ name }) => name).join(', ')}`)
  const measured: Measurement[] = []
  for (const attack of attacks) {
    const { p99AloneMs, p99BesideMs, p99ControlMs } = await attack.run((line) => say(`${attack.name}: ${line}`))
    measured.push(
      { name: `${attack.name}_p99_alone_ms`, value: p99AloneMs, unit: 'ms' },
      { name: `${attack.name}_p99_beside_ms`, value: p99BesideMs, unit: 'ms' },
      { name: `${attack.name}_p99_vs_alone`, value: p99BesideMs / Math.max(ALONE_MIN_MS, p99AloneMs), unit: '' },
    )
    if (p99ControlMs === undefined) continue
    const vsControl = p99BesideMs / Math.max(ALONE_MIN_MS, p99ControlMs)
    measured.push(
      { name: `${attack.name}_p99_control_ms`, value: p99ControlMs, unit: 'ms' },
      { name: `${attack.name}_p99_vs_control`, value: vsControl, unit: '' },
    )
  }
  return measured
}
