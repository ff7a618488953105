import { hash } from 'node:crypto'
import { missingKey } from './auth-problems.ts'

/** The key in an `Authorization` header. @throws Problem 401 for a header that holds none. */
export function bearerOf(authorization: string): string {
  const space = authorization.indexOf(' ')
  if (space === -1 || authorization.slice(0, space).toLowerCase() !== 'bearer') throw missingKey()
  return authorization.slice(space + 1).trim()
}

/** Makes what names the key of a header in the cache, by its SHA-256. The last name is remembered, as clients repeat their headers. */
export function createKeyNamer(): (authorization: string) => string {
  let last: string | undefined
  let lastName = ''

  return function nameOf(authorization) {
    if (authorization !== last) {
      lastName = hash('sha256', bearerOf(authorization), 'base64')
      last = authorization
    }
    return lastName
  }
}
