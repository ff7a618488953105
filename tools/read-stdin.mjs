import { readFileSync } from 'node:fs'

/** All of standard input. */
export function readStdin() {
  return readFileSync(0, 'utf8')
}

/** Prints what is wrong, as a JSON array of sentences. */
export function printFaults(faults) {
  process.stdout.write(`${JSON.stringify(faults)}\n`)
}
