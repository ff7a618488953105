import { runStandalone } from './run-standalone.ts'
import { start } from './service.ts'

await runStandalone(start)
