/** How many records a handler gets in one batch. */
export interface BatchSize {
  readonly recordsMax: number
  /** Target duration of a batch; after a longer one, batches are smaller. */
  readonly targetMs: number
}

/** Finds the number of records with which a handler keeps its time. */
export interface BatchSizer {
  /** The most that the next batch may hold. */
  readonly records: number
  done(records: number, tookMs: number): void
  /** The batch was too large or the store is unavailable; this cannot be distinguished, so the next batch is smaller. */
  failed(): void
}

const RECORDS_MIN = 16

/**
 * Starts at the maximum, halves after a failure, shrinks to fit the target after a late batch, and doubles after a full batch
 * that took less than half the target. So a slow store gets transactions that end within its timeouts, where the same large
 * one would time out each time.
 */
export function createBatchSizer({ recordsMax, targetMs }: BatchSize): BatchSizer {
  let records = recordsMax

  function resize(wanted: number): void {
    records = Math.min(recordsMax, Math.max(Math.min(RECORDS_MIN, recordsMax), Math.floor(wanted)))
  }

  return {
    get records() {
      return records
    },
    done(count, tookMs) {
      if (tookMs > targetMs) resize(Math.max(records / 4, (count * targetMs) / tookMs))
      else if (tookMs < targetMs / 2 && count >= records) resize(records * 2)
    },
    failed: () => resize(records / 2),
  }
}
