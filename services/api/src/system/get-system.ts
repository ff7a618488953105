import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import type { Pool } from '@ariftly/store'
import { findLargestBacklogs, type Backlog, type Backlogs } from './find-largest-backlogs.ts'
import { listProcesses, type ProcessRow } from './list-processes.ts'
import { readLogProgress, type LogProgress, type PartitionProgress } from './read-log-progress.ts'
import { timeOf } from '../time-of.ts'

/** What Postgres knows of the whole system. */
export interface SystemRows {
  /** Undefined before the first epoch of the log. */
  readonly log: LogProgress | undefined
  readonly processes: readonly ProcessRow[]
  readonly backlogs: Backlogs
}

const BACKLOGS_MAX = 50

/** Answers `GET /v1/system` out of Postgres alone, with one statement a part. */
export function createGetSystem({ pool }: { readonly pool: Pool }): ApiHandler {
  return async function getSystem({ url }, _req, res) {
    readQuery(url, {})
    // One after the other: the whole read takes one connection.
    const log = await readLogProgress(pool)
    const processes = await listProcesses(pool)
    const backlogs = await findLargestBacklogs(pool, { limit: BACKLOGS_MAX })
    sendJson(res, 200, renderSystem({ log, processes, backlogs }))
  }
}

/** The system as the API shows it. */
export function renderSystem({ log, processes, backlogs }: SystemRows): Record<string, unknown> {
  return {
    object: 'system',
    as_of: timeOf(backlogs.asOfMs),
    log: log === undefined ? null : renderLog(log),
    processes: processes.map(({ service, id, seenAtMs }) => ({ service, id, seen_at: timeOf(seenAtMs) })),
    deliveries: {
      pending_count: backlogs.pendingCount,
      due_count: backlogs.dueCount,
      complete: backlogs.isComplete,
    },
    backlogs: backlogs.largest.map(renderBacklog),
  }
}

function renderLog({ epoch, topic, openedAtMs, partitions }: LogProgress): Record<string, unknown> {
  return { epoch, topic, opened_at: timeOf(openedAtMs), partitions: partitions.map(renderPartition) }
}

function renderPartition(one: PartitionProgress): Record<string, unknown> {
  return {
    partition: one.partition,
    projected_offset: String(one.nextOffset),
    projected_at: timeOf(one.projectedAtMs),
    appended_at: timeOf(one.appendedAtMs),
    matched_offset: one.matchedOffset === null ? null : String(one.matchedOffset),
    matched_at: timeOf(one.matchedAtMs),
  }
}

function renderBacklog(one: Backlog): Record<string, unknown> {
  return {
    webhook_id: one.webhookId,
    tenant: one.tenant,
    pending_count: one.pendingCount,
    due_count: one.dueCount,
    oldest_pending_at: timeOf(one.oldestPendingAtMs),
    enabled: one.enabled,
    disabled_reason: one.disabledReason,
    failing_since: timeOf(one.failingSinceMs),
  }
}
