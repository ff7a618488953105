import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PositionStore } from '../stream/position-store.ts'

/** Keeps a position in a file, which is replaced as a whole: a killed process leaves the old one or the new one. */
export function filePositionStore(path: string): PositionStore {
  return {
    async load() {
      try {
        const text = (await readFile(path, 'utf8')).trim()
        return text === '' ? undefined : text
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async save(position) {
      await mkdir(dirname(path), { recursive: true })
      await writeFile(`${path}.new`, position, { mode: 0o600 })
      await rename(`${path}.new`, path)
    },
  }
}
