import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fetchRedisBinary } from './artefacts.ts'
import { findOnPath } from './programs.ts'
import type { PartSpec } from './part.ts'
import { probe } from './probe.ts'
import type { PartContext } from './stack.ts'

const PING = Buffer.from('PING\r\n')

/**
 * Redis as the webhook worker needs it: nothing is ever evicted, and the append-only file brings the queue back after a restart.
 * `redis-server` or `valkey-server` of the PATH, else the binary that comes with the artefact (see `artefacts.ts`).
 */
export async function redisSpec(context: PartContext): Promise<PartSpec> {
  const path = context.env['PATH']
  const file =
    findOnPath('redis-server', path) ?? findOnPath('valkey-server', path) ?? (await fetchRedisBinary(context))
  const data = join(context.dir, 'data')
  if (!existsSync(data)) mkdirSync(data)
  return {
    ...context,
    name: 'redis',
    stopSignal: 'SIGTERM',
    death: { signal: 'SIGTERM', graceMs: 3000, ...context.remove },
    prepare: async (port) => ({ file, args: settings(port, data), cwd: data }),
    probe: (port) => probe(port, PING, pongs),
  }
}

function settings(port: number, dir: string): readonly string[] {
  const values: Readonly<Record<string, string>> = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  }
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value])
}

function pongs(answer: Buffer): boolean | undefined {
  if (!answer.includes('\n')) return undefined
  return answer.toString('latin1').startsWith('+PONG') // `-LOADING …` while it reads its file.
}
