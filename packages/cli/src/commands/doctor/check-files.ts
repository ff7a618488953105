import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../../errors/code-of.ts'
import { checkPrivate } from '../../settings/private-file.ts'
import { CliError } from '../../errors/cli-error.ts'
import { passed, reasonOf, type Check, type Findings } from './check.ts'

/** Files that are checked. */
const FILES_MAX = 1000

/** Whether the files of this program can be read, by their owner alone, and whether the JSON files are whole. */
export async function checkFiles({ context: { folders } }: Findings): Promise<Check> {
  let count = 0
  for (const folder of [folders.config, folders.state]) {
    for (const path of await listPaths(folder)) {
      count += 1
      try {
        await checkPrivate(path)
        if (path.endsWith('.json')) JSON.parse(await readFile(path, 'utf8'))
      } catch (error) {
        const isKnown = error instanceof CliError
        const detail = isKnown ? error.message : `${path} is damaged: ${reasonOf(error)}`
        const remedy = (isKnown ? error.remedy : undefined) ?? `Remove ${path}.`
        return { check: 'files', status: 'failed', detail, remedy }
      }
    }
  }
  return passed('files', `${count} in ${folders.config} and ${folders.state}, which only you can read.`)
}

/** The folder and all below it but locks, which are links to nowhere; none where it is not there. */
async function listPaths(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(folder, { recursive: true })
    const files = names.filter((name) => !name.endsWith('.lock'))
    return [folder, ...files.slice(0, FILES_MAX).map((name) => join(folder, name))]
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
