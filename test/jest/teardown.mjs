import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

// Ends the stack of setup.mjs, after an independent checker has validated the answers that tests recorded (`record-answer.ts`). If
// jest dies before this runs, the stack ends with it.
export default async function teardown() {
  try {
    checkAnswers(join(process.env.ARIFTLY_TEST_DIR ?? '', 'answers'))
  } finally {
    await globalThis.closeTestStack?.()
  }
}

function checkAnswers(folder) {
  if (!existsSync(folder)) return
  if (!existsSync(join(ROOT, 'tools/node_modules/express-openapi-validator'))) {
    // `npm test` installs the checkers before it runs the tests.
    process.stderr.write('The answers of the API were not checked: npm ci --prefix tools\n')
    return
  }
  const args = [join(ROOT, 'tools/check-answers.mjs'), join(ROOT, 'schemas/openapi.json'), folder]
  const output = execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  const faults = JSON.parse(output)
  if (faults.length === 0) return
  // After the reporters: the last line must not say that all is well.
  process.stdout.write('0 passed, 1 failed\n')
  throw new Error(`${faults.length} answers are not as schemas/openapi.json says:\n${faults.join('\n')}`)
}
