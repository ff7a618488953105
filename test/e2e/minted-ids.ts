import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPage } from '../docs/markdown.ts'
import type { Shell } from './shell.ts'

/** The languages in which docs/ingest.md shows how to mint an id. */
export type SnippetLanguage = 'python' | 'sh' | 'go'

/**
 * Runs a snippet of docs/ingest.md as printed, and returns the ids that it minted, in order; some are of one millisecond.
 * @param folder that of the shell; files are written there.
 */
export async function mintIds(language: SnippetLanguage, shell: Shell, folder: string): Promise<readonly string[]> {
  return (await MINT[language](snippetOf(language), shell, folder)).trim().split('\n')
}

const MINT: Readonly<Record<SnippetLanguage, (snippet: string, shell: Shell, folder: string) => Promise<string>>> = {
  async python(snippet, shell, folder) {
    writeFileSync(join(folder, 'ids.py'), `${snippet}\nfor _ in range(400):\n    print(event_id())\n`)
    return await shell.run('python3 ids.py')
  },
  // A shell is slow: its clock is stopped, so that all ids are of one millisecond.
  async sh(snippet, shell) {
    const clock = `date() { echo ${Date.now()}; }\n`
    return await shell.run(`${clock}${snippet}\nfor n in 1 2 3 4 5 6 7 8 9 10 11 12; do event_id; echo "$id"; done`)
  },
  async go(snippet, shell, folder) {
    const names = ['crypto/rand', 'encoding/binary', 'fmt', 'sync', 'time']
    const main = 'func main() {\n\tfor n := 0; n < 400; n++ {\n\t\tfmt.Println(eventID())\n\t}\n}\n'
    const imports = names.map((name) => `import "${name}"\n`).join('')
    writeFileSync(join(folder, 'ids.go'), `package main\n\n${imports}\n${snippet}\n${main}`)
    return await shell.run('go run ids.go')
  },
}

function snippetOf(language: SnippetLanguage): string {
  const pattern = new RegExp(`<!-- ids: ${language} -->\n+\`\`\`${language}\n([^]*?)\`\`\``)
  const snippet = pattern.exec(readPage('docs/ingest.md'))?.[1]
  if (snippet === undefined) throw new Error(`docs/ingest.md mints no id in ${language}`)
  return snippet
}
