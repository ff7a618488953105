import { readFileSync } from 'node:fs'

/** All of standard input. */
export function readStdin() {
  return readFileSync(0, 'utf8')
}

/** Prints the faults, as a JSON array of sentences. */
export function printFaults(faults) {
  process.stdout.write(`${JSON.stringify(faults)}\n`)
}
