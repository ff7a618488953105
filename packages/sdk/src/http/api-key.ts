import { AriftlyError } from '../errors.ts'

/** An API key, or a function that gives one for each request; undefined in browsers, whose streams have tokens. */
export type GivenKey = string | (() => string | Promise<string>) | undefined

/**
 * The key without the white space around it. Throws an AriftlyError `invalid_api_key` unless it is visible ASCII. The message must not contain the key:
 * `fetch` would name it in its own.
 */
export function checkKey(key: unknown): string {
  const text = typeof key === 'string' ? key.trim() : ''
  if (/^[\x21-\x7e]+$/.test(text)) return text
  throw new AriftlyError('invalid_api_key', 'The API key is empty or has a character that no key has.')
}

/** The key of the next request. Throws what {@link checkKey} does, and what the function throws. */
export async function readKey(given: GivenKey): Promise<string | undefined> {
  return typeof given === 'function' ? checkKey(await given()) : given
}
