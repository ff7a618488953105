import type { Metrics } from '@ariftly/runtime'
import type { WrittenBatches } from './write-batches.ts'

/** Metrics of the projector. */
export interface ProjectorMetrics {
  written(outcome: WrittenBatches): void
  took(ms: number): void
  reread(): void
  gap(offsets: number): void
}

/** Registers them. */
export function createProjectorMetrics(metrics: Metrics): ProjectorMetrics {
  const events = metrics.counter({
    name: 'ariftly_projector_events_total',
    help: 'Events read, by what became of them.',
    labels: ['outcome'],
  })
  const conflicts = metrics.counter({
    name: 'ariftly_projector_event_id_conflicts_total',
    help: 'Events whose id was held by an event of other content (event_id_conflict).',
  })
  const seconds = metrics.histogram({
    name: 'ariftly_projector_batch_seconds',
    help: 'Time from a batch of records to its commit.',
  })
  const rereads = metrics.counter({
    name: 'ariftly_projector_checkpoint_conflicts_total',
    help: 'Batches that were not written as another process had moved the checkpoint.',
  })
  const lost = metrics.counter({
    name: 'ariftly_projector_gap_offsets_total',
    help: 'Offsets that the log lost before they were read. Alarm on any.',
  })

  return {
    written(outcome) {
      events.inc({ outcome: 'inserted' }, outcome.inserted)
      events.inc({ outcome: 'duplicate' }, outcome.duplicates)
      events.inc({ outcome: 'dead_letter' }, outcome.deadLetters)
      events.inc({ outcome: 'deleted' }, outcome.deleted)
      events.inc({ outcome: 'expired' }, outcome.expired)
      conflicts.inc(outcome.conflicts.length)
    },
    took: (ms) => seconds.observe(ms / 1_000),
    reread: () => rereads.inc(),
    gap: (offsets) => lost.inc(offsets),
  }
}
