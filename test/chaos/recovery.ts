/** A fault as it happened. Of one whose process is started again, `endMs` is the moment when the process went. */
export interface FaultSpan {
  readonly name: string
  readonly fromMs: number
  readonly endMs: number
}

/** The stages of an event, in order. */
const STAGES = ['acknowledged', 'projected', 'streamed', 'delivered'] as const
export type Stage = (typeof STAGES)[number]

/** An event at a stage: when it was due to be posted, and when it had passed. */
export interface Passage {
  readonly stage: Stage
  readonly dueMs: number
  readonly passedMs: number
}

/** An event that takes longer than this to pass a stage is late: the fault is felt. */
export const LATE_MS = 1000

/** How long the faults of one name were felt, milliseconds from their end; a stage is undefined where no event was late. */
export interface Recovery {
  readonly name: string
  readonly times: number
  readonly felt: Readonly<Record<Stage, { readonly median: number; readonly worst: number } | undefined>>
}

/**
 * How long after its end each fault was still felt: until the last late event of its time had passed. An event is of the time of the
 * last fault that had begun when the event was due, or began while it was not late yet. A fault whose time is short against what the
 * fault before it did is charged with some of that.
 */
export function recoveries(faults: readonly FaultSpan[], passages: readonly Passage[]): readonly Recovery[] {
  const inOrder = faults.toSorted((a, b) => a.fromMs - b.fromMs)
  const felt = inOrder.map(() => new Map<Stage, number>())
  for (const { stage, dueMs, passedMs } of passages) {
    if (passedMs - dueMs <= LATE_MS) continue
    const index = inOrder.findLastIndex((fault) => fault.fromMs <= dueMs + LATE_MS)
    const sinceEndMs = Math.max(0, passedMs - (inOrder[index]?.endMs ?? passedMs))
    const ofFault = felt[index]
    ofFault?.set(stage, Math.max(sinceEndMs, ofFault.get(stage) ?? 0))
  }
  const names = [...new Set(inOrder.map(({ name }) => name))].toSorted()
  return names.map((name) => {
    const own = felt.filter((_, index) => inOrder[index]?.name === name)
    const at = (stage: Stage) => summary(own.map((ofFault) => ofFault.get(stage)))
    const [acknowledged, projected, streamed, delivered] = STAGES.map(at)
    return { name, times: own.length, felt: { acknowledged, projected, streamed, delivered } }
  })
}

/** As a table of Markdown, in seconds: median and worst; `–` is not felt at all. */
export function renderRecoveries(rows: readonly Recovery[]): string {
  const cell = (felt: Recovery['felt'][Stage]) =>
    felt === undefined ? '–' : `${seconds(felt.median)} / ${seconds(felt.worst)}`
  const lines = rows.map(({ name, times, felt }) => [name, times, ...STAGES.map((stage) => cell(felt[stage]))])
  const head = ['fault', 'times', ...STAGES]
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function summary(felt: readonly (number | undefined)[]): { median: number; worst: number } | undefined {
  if (felt.every((ms) => ms === undefined)) return undefined
  const sorted = felt.map((ms) => ms ?? 0).toSorted((a, b) => a - b)
  return { median: sorted[Math.floor((sorted.length - 1) / 2)] ?? 0, worst: sorted.at(-1) ?? 0 }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}
