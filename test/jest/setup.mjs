import { writeSync } from 'node:fs'
import { register } from 'node:module'
import { tsImport } from 'tsx/esm/api'

// Runs once for all projects that need the stack: starts it, and hands its addresses to the tests by environment.
export default async function setup() {
  process.once('exit', printFailure)
  register('./source-condition.mjs', import.meta.url)
  const { startTestStack } = await tsImport('../stack/stack.ts', import.meta.url)
  const { environment, close } = await startTestStack()
  Object.assign(process.env, environment)
  globalThis.closeTestStack = close
  process.removeListener('exit', printFailure)
}

// The reporters do not exist yet when the setup fails.
function printFailure() {
  writeSync(1, '0 passed, 1 failed\n')
}
