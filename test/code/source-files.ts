import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** A file of `packages`, `services` or `dev`, no test. */
export interface SourceFile {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
}

/** Every such file. */
export function sourceFiles(): readonly SourceFile[] {
  const folders = ['packages', 'services', 'dev'].flatMap((parent) =>
    readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}/src`),
  )
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(ROOT, folder, name), 'utf8') })),
  )
}
