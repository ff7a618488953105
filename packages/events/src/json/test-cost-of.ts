/** For tests: the least CPU time of some runs, ms. A busy machine only adds to one, so the first below `enoughMs` is the last. */
export function costOf(run: () => void, o: { readonly runs: number; readonly enoughMs: number }): number {
  let leastMs = Number.POSITIVE_INFINITY
  for (let made = 0; made < o.runs && leastMs >= o.enoughMs; made += 1) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    leastMs = Math.min(leastMs, (user + system) / 1000)
  }
  return leastMs
}
