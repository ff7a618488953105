import { percentile } from '../support/report.ts'
import { bySize } from '../support/size.ts'

/** What another tenant, or a caller without a key, does to a system, and what a victim feels of it. */
export interface Attack {
  /** The name of its figure: `<name>_p99_vs_alone`. */
  readonly name: string
  run(say: (line: string) => void): Promise<Beside>
}

/** The victim's p99 without and during the attack, ms: the medians over the windows. */
export interface Beside {
  readonly p99AloneMs: number
  readonly p99BesideMs: number
  /** During the control, if there is one. */
  readonly p99ControlMs?: number
}

/** Begins something and resolves with what ends it. */
type Begin = () => Promise<() => Promise<void>>

const WINDOWS = bySize({ full: 5, smallest: 1 })

/**
 * Measures a victim in alternating windows, five alone and five during the attack, after one of each that is not counted, in which
 * V8 and Java compile. `measure` gives the waits of one window; `control` is the attack's load on the machine without its target,
 * measured in alternation too.
 */
export async function compare(o: {
  readonly measure: () => Promise<readonly number[]>
  readonly attack: Begin
  readonly control?: Begin
  readonly say: (line: string) => void
}): Promise<Beside> {
  const alone: number[] = []
  const beside: number[] = []
  const control: number[] = []
  await o.measure()
  o.say(`warm-up: ${(await p99Beside(o.attack)).toFixed(1)} ms during the attack`)
  for (let window = 0; window < WINDOWS; window += 1) {
    alone.push(percentile(await o.measure(), 0.99))
    if (o.control !== undefined) control.push(await p99Beside(o.control))
    beside.push(await p99Beside(o.attack))
    o.say(`window ${window}: ${[alone, control, beside].map((all) => all.at(-1)?.toFixed(1) ?? '-').join(', ')} ms`)
  }
  return {
    p99AloneMs: percentile(alone, 0.5),
    p99BesideMs: percentile(beside, 0.5),
    ...(o.control === undefined ? {} : { p99ControlMs: percentile(control, 0.5) }),
  }

  async function p99Beside(begin: Begin): Promise<number> {
    const end = await begin()
    const p99Ms = percentile(await o.measure(), 0.99)
    await end()
    return p99Ms
  }
}
