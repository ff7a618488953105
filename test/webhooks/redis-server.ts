import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort, findRedisServer } from '@ariftly/local-stack'
import { stackEnvironment } from '@ariftly/testkit'
import { Redis } from 'ioredis'

/** A Redis that a test started, or a Sentinel. */
export interface RedisServer {
  readonly port: number
  readonly client: Redis
  /** Kills it, if it runs, and ends the connection of `client`. Resolves when it has ended. */
  kill(): Promise<void>
}

/** Tries of a start: another process can take one of the ports in between. */
const STARTS_MAX = 5

/**
 * Starts a Redis on a free port, with its files in a new folder inside `folder`, and waits until it answers. If it ends at start, as
 * when another process took one of its ports, it is started again.
 * @throws Error with its output when it ended at each start, as with unknown settings.
 */
export async function startRedisServer(o: {
  readonly folder: string
  /** Lines of its settings, without port, address and folder. */
  readonly lines: readonly string[]
  /** Options of the program. */
  readonly flags?: readonly string[]
}): Promise<RedisServer> {
  const program = await findRedisServer({ env: stackEnvironment(), progress: () => {} })
  let output = ''
  for (let start = 0; start < STARTS_MAX; start++) {
    const port = await findFreePort()
    const dir = mkdtempSync(join(o.folder, 'redis-'))
    const file = join(dir, 'redis.conf')
    writeFileSync(file, `${[`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, ...o.lines].join('\n')}\n`)
    const child = spawn(program, [file, ...(o.flags ?? [])], { stdio: ['ignore', 'pipe', 'inherit'] })
    output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null })
    client.on('error', () => {})
    const answers = await Promise.race([client.ping().then(() => true), once(child, 'exit').then(() => false)])
    const end = async () => {
      client.disconnect()
      await kill(child)
    }
    if (answers) return { port, client, kill: end }
    await end()
  }
  throw new Error(`Redis ended at each of ${STARTS_MAX} starts: ${output}`)
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
