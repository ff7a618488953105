import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort, findRedisServer } from '@ariftly/local-stack'
import { Redis } from 'ioredis'

/** A Redis that a test started, or a Sentinel. */
export interface RedisServer {
  readonly port: number
  readonly client: Redis
  /** Kills it, if it runs, and ends the connection of `client`. Resolves when it has ended. */
  kill(): Promise<void>
}

/**
 * Starts a Redis on a free port, with its files in a new folder inside `folder`, and waits until it answers. When it ends at once,
 * as it does when another process took one of its ports, it is tried again, with what `lines` then returns.
 */
export async function startRedisServer(o: {
  readonly folder: string
  /** Lines of its settings, besides port, address and folder. */
  readonly lines: () => readonly string[] | Promise<readonly string[]>
  /** Options of the program. */
  readonly flags?: readonly string[]
}): Promise<RedisServer> {
  const program = await findRedisServer({ env: process.env, progress: () => {} })
  for (;;) {
    const port = await findFreePort()
    const dir = mkdtempSync(join(o.folder, 'redis-'))
    const file = join(dir, 'redis.conf')
    writeFileSync(file, `${[`port ${port}`, 'bind 127.0.0.1', `dir ${dir}`, ...(await o.lines())].join('\n')}\n`)
    const child = spawn(program, [file, ...(o.flags ?? [])], { stdio: 'ignore' })
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
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
