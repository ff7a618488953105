import { Problem } from '@ariftly/http'

/** Most entries of a page that includes more than the entries themselves. */
const INCLUDING_MAX = 100

/** Throws a `Problem` 400 that names `limit` for a page that is too long for what it includes. */
export function refuseLongPage(limit: number, include: string): void {
  if (limit <= INCLUDING_MAX) return
  const message = `must be at most ${INCLUDING_MAX} with include=${include}`
  throw new Problem(400, 'invalid_parameter', {
    detail: 'Cannot read: limit.',
    errors: [{ parameter: 'limit', code: 'invalid_parameter', message }],
  })
}
