import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '@ariftly/local-stack'
import { eventually } from '@ariftly/testkit'
import { pin } from '../ingest/worker.ts'

/** Centrifugo, one process. */
export interface Centrifugo {
  readonly port: number
  readonly pids: readonly number[]
  close(): Promise<void>
}

const MODULE = 'github.com/centrifugal/centrifugo/v6'
const VERSION = 'v6.9.1'
/** A stream of channel `bench` with recovery: Centrifugo's unidirectional SSE. */
export const CENTRIFUGO_STREAM = `/connection/uni_sse?cf_connect=${encodeURIComponent('{"subs":{"bench":{"recover":true}}}')}`
/** Of its HTTP API. */
export const CENTRIFUGO_KEY = 'bench'

/** Starts Centrifugo, built by `go install` from the Go module proxy into the cache the first time. Needs Go. */
export async function startCentrifugo(say: (line: string) => void, cpu: number): Promise<Centrifugo> {
  const file = build(say)
  const dir = mkdtempSync(join(tmpdir(), 'ariftly-centrifugo-'))
  const port = await findFreePort()
  const config = join(dir, 'config.json')
  writeFileSync(config, JSON.stringify(settings(port)))
  const server = spawn(file, ['--config', config], { stdio: ['ignore', 'ignore', 'inherit'] })
  const { pid } = server
  if (pid === undefined) throw new Error('Centrifugo could not be started')
  pin(pid, cpu)
  await eventually(async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok, { timeoutMs: 20_000 })
  return {
    port,
    pids: [pid],
    async close() {
      const exited = once(server, 'exit')
      server.kill('SIGKILL')
      await exited
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** History as nchan has it here: the last twenty messages, with recovery. */
function settings(port: number): object {
  return {
    http_server: { address: '127.0.0.1', port: String(port) },
    log: { level: 'error' },
    health: { enabled: true },
    client: { allow_anonymous_connect_without_token: true },
    uni_sse: { enabled: true },
    http_api: { key: CENTRIFUGO_KEY },
    channel: {
      without_namespace: {
        history_size: 20,
        history_ttl: '300s',
        force_recovery: true,
        allow_subscribe_for_client: true,
        allow_subscribe_for_anonymous: true,
      },
    },
  }
}

function build(say: (line: string) => void): string {
  const base = process.env['XDG_CACHE_HOME']
  const cache = join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'ariftly-events')
  const folder = join(cache, `centrifugo-${VERSION}`)
  const file = join(folder, 'centrifugo')
  if (existsSync(file)) return file
  say('building Centrifugo')
  mkdirSync(folder, { recursive: true })
  const built = spawnSync('go', ['install', `${MODULE}@${VERSION}`], {
    env: { ...process.env, GOBIN: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (built.status !== 0) throw new Error('go could not build Centrifugo')
  return file
}
