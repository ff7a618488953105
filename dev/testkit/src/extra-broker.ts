import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort, startSupervised, type LocalStack, type Supervised } from '@ariftly/local-stack'
import { withClient } from './topics.ts'
import { eventually } from './eventually.ts'

/** Another broker of a stack's Kafka. */
export interface ExtraBroker {
  readonly nodeId: number
  /** `host:port`. */
  readonly address: string
  /** The id of its process; another one after each start. */
  pid(): number
  /** Ends it by SIGKILL and resolves when it has ended. */
  kill(): Promise<void>
  /** Starts it again, with its port and its data, and resolves when the cluster has it. */
  start(): Promise<void>
  /** Freezes it (SIGSTOP): connections stay open and nothing is answered. */
  pause(): void
  /** Ends `pause`. */
  resume(): void
}

const UP_MS = 60_000
const LOG_CHARS = 2_000

/**
 * Starts a second broker in an own stack whose first broker is also the controller: then leaders of partitions can move. It ends
 * with the stack's process at the latest. The first broker must not be restarted meanwhile, as its controller's port changes
 * then.
 */
export async function startExtraBroker(
  stack: LocalStack & { readonly dataDir: string },
  nodeId = 2,
): Promise<ExtraBroker> {
  const first = join(stack.dataDir, 'kafka')
  const dir = join(stack.dataDir, `kafka-${nodeId}`)
  const data = join(dir, 'data')
  mkdirSync(data, { recursive: true })
  const port = await findFreePort(new Set())
  writeProperties(join(data, 'meta.properties'), {
    ...readProperties(join(first, 'data/meta.properties')),
    'node.id': String(nodeId),
    'directory.id': randomBytes(16).toString('base64url').replace(/^-/, 'A'),
  })
  const file = join(dir, 'server.properties')
  writeProperties(file, {
    ...readProperties(join(first, 'server.properties')),
    'process.roles': 'broker',
    'node.id': String(nodeId),
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': data,
  })
  const [java = '', ...args] = commandOf(stack.kafka?.pid ?? 0)
  let running: Supervised | undefined

  async function start(): Promise<void> {
    const command = { file: java, args: [...args.slice(0, -1), file], cwd: dir }
    running = await startSupervised(command, { signal: 'SIGKILL', graceMs: 0 }, join(dir, 'log'))
    try {
      await eventually(
        'the broker is in the cluster',
        async () => (await brokersOf(`127.0.0.1:${port}`)).includes(port),
        { timeoutMs: UP_MS },
      )
    } catch (error) {
      const log = readFileSync(join(dir, 'log'), 'utf8').slice(-LOG_CHARS)
      throw new Error(`Broker ${nodeId} did not start; the end of its log:\n${log}`, { cause: error })
    }
  }

  async function kill(): Promise<void> {
    if (running === undefined || running.exitCode() !== undefined) return
    process.kill(running.pid, 'SIGKILL')
    await running.exited
  }

  function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    if (running !== undefined && running.exitCode() === undefined) process.kill(running.pid, name)
  }

  await start()
  return {
    nodeId,
    address: `127.0.0.1:${port}`,
    pid: () => running?.pid ?? 0,
    kill,
    start,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
  }
}

async function brokersOf(brokers: string): Promise<readonly number[]> {
  const described = await withClient(brokers, (client) => client.withAdmin((admin) => admin.describeCluster()))
  return described.brokers.map((broker) => broker.port)
}

/** How the first one was started: the last argument is its file of settings. */
function commandOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
}

function readProperties(file: string): Readonly<Record<string, string>> {
  const lines = readFileSync(file, 'utf8').split('\n')
  return Object.fromEntries(
    lines
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

function writeProperties(file: string, properties: Readonly<Record<string, string>>): void {
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}`)
  writeFileSync(file, `${lines.join('\n')}\n`)
}
