// Bundles the console when it has changed.
import { buildConsoleIfStale } from './prepare.mjs'

process.exitCode = (await buildConsoleIfStale()) ? 0 : 1
