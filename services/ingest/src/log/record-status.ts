import { isIdInWindow } from '@ariftly/events'
import type { PartitionOutcome } from '@ariftly/kafka'
import type { Part, RecordStatus } from './part.ts'

/** Records `from` to `to` (exclusive) of a part, which have the same status. */
interface Run {
  readonly from: number
  readonly to: number
  readonly status: RecordStatus
}

/** What an outcome that is not about single records means for records `from` to `to` (exclusive) of a part, in order. */
export function statusRuns(part: Part, { from, to }: Omit<Run, 'status'>, outcome: PartitionOutcome): readonly Run[] {
  const runs: Run[] = []
  for (let start = from; start < to;) {
    const status = statusOf(part, start, outcome)
    let end = start + 1
    while (end < to && isSame(statusOf(part, end, outcome), status)) end += 1
    runs.push({ from: start, to: end, status })
    start = end
  }
  return runs
}

/** The status of one record; `refused` if it was sent alone and the broker refused it. Brokers that keep the time of the producer answer -1 as the append time. */
export function statusOf({ idTimes }: Part, at: number, outcome: PartitionOutcome): RecordStatus {
  if (isAboutRecords(outcome)) return 'refused'
  if (outcome.type !== 'written') return 'retry'
  const { appendedAtMs } = outcome
  if (appendedAtMs < 0 || isIdInWindow(idTimes[at] ?? 0, appendedAtMs)) return 'accepted'
  return { type: 'outOfWindow', appendedAtMs }
}

/** Whether the broker refused the records rather than the partition: only then sending each alone helps. */
export function isAboutRecords(outcome: PartitionOutcome): boolean {
  if (outcome.type !== 'refused') return false
  const { code } = outcome
  return code === 'MESSAGE_TOO_LARGE' || code === 'RECORD_LIST_TOO_LARGE' || code === 'INVALID_RECORD'
}

/** Compares two statuses of one outcome. */
function isSame(one: RecordStatus, other: RecordStatus): boolean {
  return typeof one === 'object' ? typeof other === 'object' : one === other
}
