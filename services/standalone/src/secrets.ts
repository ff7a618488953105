import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Reads a secret that was made once, or makes it: a file that only this user can read. A half-written one is never seen.
 * @returns the secret, without the line end of the file.
 */
export function readOrMakeSecret(file: string, make: () => string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const secret = make()
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
  return secret
}
