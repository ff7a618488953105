// Lists pairs of places in our TypeScript that are the same code. Standard input: a JSON array of folders.
import { createRequire } from 'node:module'
import { printFaults, readStdin } from './read-stdin.mjs'

// Its build for `import` names a file that does not exist.
const { detectClones } = createRequire(import.meta.url)('jscpd')

const folders = JSON.parse(readStdin())
const clones = await detectClones({
  path: folders,
  // Generated types repeat what schemas repeat.
  ignore: ['**/node_modules/**', '**/dist/**', '**/api-types.ts'],
  format: ['typescript'],
  // What is shorter is more often a way of writing than a piece of logic.
  minLines: 8,
  minTokens: 60,
  maxLines: 10_000,
  maxSize: '1mb',
  silent: true,
  reporters: [],
})
printFaults(clones.map(({ duplicationA, duplicationB }) => `${place(duplicationA)} is also ${place(duplicationB)}`))

function place({ sourceId, start, end }) {
  return `${sourceId} ${start.line}-${end.line}`
}
