/**
 * Repeats a bounded statement, so that a backlog locks nothing for long: until it returns 0 rows, or the signal aborts. Returns the sum of
 * the rows.
 */
export async function inSlices(slice: () => Promise<number>, signal?: AbortSignal): Promise<number> {
  let sum = 0
  while (signal?.aborted !== true) {
    const rows = await slice()
    if (rows === 0) break
    sum += rows
  }
  return sum
}
