import { writeSync } from 'node:fs'

// Always ends the output with a plain line `N passed, N failed`: a suite that could not run counts as a failure, and so does an
// exit code that the tests do not explain.
export default class LastLineReporter {
  #passed = 0
  #failed = 0

  constructor() {
    // Node's cleanup at a natural end can wait without end for a miscounted request, with a processor at full load (seen in
    // `Environment::CleanupHandles` of Node 20); an explicit exit has no such cleanup.
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
