import { percentile } from '../support/report.ts'

/** What another tenant, or a caller without a key, does to a system, and what a victim feels of it. */
export interface Attack {
  /** The name of its figure: `<name>_p99_vs_alone`. */
  readonly name: string
  run(say: (line: string) => void): Promise<Beside>
}

/** The victim's p99 without and beside the attack, ms: the medians over the windows. */
export interface Beside {
  readonly p99AloneMs: number
  readonly p99BesideMs: number
}

const WINDOWS = 5

/**
 * Measures a victim in turns, five windows alone and five beside the attack. `measure` gives the waits of one window;
 * `attack` begins it and resolves with what ends it.
 */
export async function compare(o: {
  readonly measure: () => Promise<readonly number[]>
  readonly attack: () => Promise<() => Promise<void>>
  readonly say: (line: string) => void
}): Promise<Beside> {
  const alone: number[] = []
  const beside: number[] = []
  await o.measure() // Warm-up.
  for (let window = 0; window < WINDOWS; window += 1) {
    alone.push(percentile(await o.measure(), 0.99))
    const end = await o.attack()
    beside.push(percentile(await o.measure(), 0.99))
    await end()
    o.say(`window ${window}: ${(alone.at(-1) ?? 0).toFixed(1)} ms alone, ${(beside.at(-1) ?? 0).toFixed(1)} ms beside`)
  }
  return { p99AloneMs: percentile(alone, 0.5), p99BesideMs: percentile(beside, 0.5) }
}
