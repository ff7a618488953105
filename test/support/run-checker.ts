import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const TOOLS = join(import.meta.dirname, '../../tools')

/** What a checker of `tools/` has to say about a text, as sentences. They have packages of their own, which `npm test` installs. */
export function runChecker(
  name: 'openapi' | 'asyncapi' | 'kubernetes' | 'compose' | 'duplicates' | 'package',
  text: string,
): readonly string[] {
  if (!existsSync(join(TOOLS, 'node_modules/.package-lock.json'))) {
    throw new Error('The checkers are not installed: npm ci --prefix tools (npm test does it)')
  }
  const output = execFileSync(process.execPath, [join(TOOLS, `check-${name}.mjs`)], { input: text, encoding: 'utf8' })
  return JSON.parse(output) as string[]
}
