import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AriftlyError } from '../errors.ts'
import type { PositionStore } from '../stream/position-store.ts'

/**
 * Keeps a position in a file, which is replaced as a whole: a killed process leaves the old one or the new one. An empty file is an error of `load`:
 * to start without a position would miss all events since the lost one.
 */
export function filePositionStore(path: string): PositionStore {
  return {
    async load() {
      try {
        const text = (await readFile(path, 'utf8')).trim()
        if (text !== '') return text
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
      throw new AriftlyError(
        'position_lost',
        `${path} is empty. Give a position (from), or remove it to start at a time (after).`,
      )
    },
    async save(position) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(`${path}.new`, position, { mode: 0o600 })
      await rename(`${path}.new`, path)
    },
  }
}
