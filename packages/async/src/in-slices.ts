/**
 * Repeats a bounded statement, so that a backlog locks nothing for long: until it returns 0 rows, or the signal aborts. Returns the sum of
 * the rows.
 */
export async function inSlices(slice: () => Promise<number>, signal?: AbortSignal): Promise<number> {
  const next = async (): Promise<number> => (signal?.aborted === true ? 0 : await slice())
  let sum = 0
  for (let rows = await next(); rows !== 0; rows = await next()) sum += rows
  return sum
}
