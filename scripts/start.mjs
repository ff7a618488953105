// `npm start`: installs what is missing, builds what changed, the console, the SDK and the command line too, then runs the whole system in this process:
// `dev/start` starts Kafka, Postgres and Redis, and hands their addresses to `standalone`.
import { join } from 'node:path'
import { buildConsoleIfStale, checkNode, installIfStale, root, run } from './prepare.mjs'

// What differs on a developer's machine from a server; the environment wins.
const DEVELOPMENT = {
  HOST: '127.0.0.1',
  LOG_LEVEL: 'warn',
  WEBHOOK_ALLOW_HTTP: 'true', // Webhooks may go to this machine.
  DRAIN_MS: '3000', // Ctrl-C does not wait for streams.
}

checkNode()
if (!(await installIfStale('.'))) process.exit(1)
const tsc = join(root, 'node_modules/typescript/bin/tsc')
const builds = [run(process.execPath, [tsc, '-b', 'dev/start', 'packages/cli']), buildConsoleIfStale()]
if (!(await Promise.all(builds)).every(Boolean)) process.exit(1)
for (const [name, value] of Object.entries(DEVELOPMENT)) process.env[name] ||= value
process.setSourceMapsEnabled(true)
await import('../dev/start/dist/main.js')
