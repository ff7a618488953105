import { writeSync } from 'node:fs'

// Ends the output with a plain line `N passed, N failed`, whatever happened: a suite that could not run counts as a failure, and so
// does an exit code that the tests do not explain.
export default class LastLineReporter {
  #passed = 0
  #failed = 0

  constructor() {
    // Node's cleanup of a process that ends by itself can wait for ever for a request that it has lost count of, with a processor in full
    // use (seen in `Environment::CleanupHandles` of Node 20); an asked exit has no such cleanup. Nothing is left to do here.
    process.once('beforeExit', () => process.exit())
    process.once('exit', (code) => {
      const failed = code === 0 ? this.#failed : Math.max(1, this.#failed)
      writeSync(1, `${this.#passed} passed, ${failed} failed\n`)
    })
  }

  onRunComplete(_contexts, results) {
    this.#passed = results.numPassedTests
    this.#failed = results.numFailedTests + results.numRuntimeErrorTestSuites
  }
}
