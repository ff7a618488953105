/** How many records a handler gets at once. */
export interface BatchSize {
  readonly recordsMax: number
  /** What a batch may take; one that takes longer is followed by smaller ones. */
  readonly targetMs: number
}

/** Finds the number of records with which a handler keeps its time. */
export interface BatchSizer {
  /** The most that the next batch may hold. */
  readonly records: number
  done(records: number, tookMs: number): void
  /** The batch was too large, or the store is away: the two cannot be distinguished, so the next one is smaller. */
  failed(): void
}

const RECORDS_MIN = 16

/**
 * Begins at the maximum. It halves after a failure, shrinks to what fits into the target after a batch that was late, and
 * doubles after a full batch that took less than half of it. So a store that has become slow gets transactions that it
 * can end within its timeouts, where the same large one would time out for ever.
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
