/** One measured value. `unit` is a word a reader knows: `events/s`, `ms`, `MB`. */
export interface Measurement {
  readonly name: string
  readonly value: number
  readonly unit: string
}

/** A measured value; a ratio has no unit. */
export function measurement(name: string, value: number, unit: string): Measurement {
  return { name, value, unit }
}

/** What a benchmark answers; the shape of the last line of its output. */
export interface BenchReport {
  readonly bench: string
  readonly results: readonly Measurement[]
  readonly ratios: Readonly<Record<string, number>>
}

/** Options of the command line for the benchmarks that support them. */
export interface BenchOptions {
  /** Rows that it works on. */
  readonly rows?: number
  /** The one of its parts that it measures; all if none is named. */
  readonly only?: string
}

/** A benchmark: reports its progress and returns measurements. */
export type Bench = (say: (line: string) => void, options?: BenchOptions) => Promise<readonly Measurement[]>

/** Sorts measurements into a report: names with `vs_` or `_ratio` are ratios, all else are results. */
export function createReport(bench: string, measurements: readonly Measurement[]): BenchReport {
  const isRatio = ({ name }: Measurement) => name.includes('vs_') || name.includes('_ratio')
  return {
    bench,
    results: measurements.filter((each) => !isRatio(each)),
    ratios: Object.fromEntries(measurements.filter(isRatio).map(({ name, value }) => [name, value])),
  }
}

/** The median of each measurement over several rounds, in the order of the first round. */
export function medians(rounds: readonly (readonly Measurement[])[]): readonly Measurement[] {
  return (rounds[0] ?? []).map(({ name, unit }) => {
    const values = rounds.flatMap((round) => round.filter((m) => m.name === name).map(({ value }) => value))
    return { name, value: percentile(values, 0.5), unit }
  })
}

/** The value below which a share of the values lies (nearest rank); 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
}

/** A value with as many digits as it deserves. */
export function rounded(value: number): number {
  if (value >= 100) return Math.round(value)
  return value >= 0.1 || value <= 0 ? Math.round(value * 100) / 100 : Number(value.toPrecision(2))
}
