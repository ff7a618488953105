import { loadAverage } from './process-usage.ts'
import { measurement, type Measurement } from './report.ts'

const DOCUMENT = JSON.stringify({
  events: Array.from({ length: 20 }, (_, n) => ({ type: 'task.progress', data: { n } })),
})
const ROUNDS = 5
const PARSED_PER_ROUND = 5_000

/**
 * Milliseconds of a fixed computation on one core, the fastest of some rounds. Figures of two runs can be compared when
 * it is the same in both: the processors of a shared host differ by a factor of two from hour to hour.
 */
export function measureReferenceMs(): number {
  return Math.min(...Array.from({ length: ROUNDS }, roundMs))
}

/** The machine while a bench ran: its load over the last minute, and its speed before and after. */
export function machineFigures(referenceBeforeMs: number): readonly Measurement[] {
  return [
    measurement('load_average', loadAverage(), 'processes'),
    measurement('reference_before_ms', referenceBeforeMs, 'ms'),
    measurement('reference_after_ms', measureReferenceMs(), 'ms'),
  ]
}

function roundMs(): number {
  const startedMs = performance.now()
  for (let n = 0; n < PARSED_PER_ROUND; n += 1) JSON.stringify(JSON.parse(DOCUMENT))
  return performance.now() - startedMs
}
