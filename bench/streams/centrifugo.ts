import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '@ariftly/local-stack'
import { eventually } from '@ariftly/testkit'
import { pin } from '../ingest/worker.ts'
import { streamRequest } from './workload.ts'

/** Centrifugo with its memory engine; a channel with history and recovery, streams by unidirectional SSE. */
export interface Centrifugo {
  readonly port: number
  readonly pids: readonly number[]
  /** A stream of the channel, as a client asks for it. */
  readonly request: string
  close(): Promise<void>
}

/** Path to which an event is published, with {@link centrifugoBody}. */
export const CENTRIFUGO_PUBLISH = '/api/publish'

const MODULE = 'github.com/centrifugal/centrifugo/v6@v6.9.1'
/** What Centrifugo writes around an event of the channel. */
const FRAME_OVERHEAD = 'data: {"channel":"bench","pub":{"data":"","offset":1000,"epoch":"aaaaaaaa"}}\n\n'.length

/** The request body that publishes a text. */
export function centrifugoBody(text: string): string {
  return JSON.stringify({ channel: 'bench', data: text })
}

/** Bytes of a text whose frame has so many bytes on the wire. */
export function centrifugoTextBytes(frameBytes: number): number {
  return frameBytes - FRAME_OVERHEAD
}

/**
 * Starts Centrifugo, built by `go install` into the cache the first time, which takes some minutes; nothing is installed.
 * Undefined where there is no `go`.
 */
export async function startCentrifugo(say: (line: string) => void, cpu: number): Promise<Centrifugo | undefined> {
  const binary = build(say)
  if (binary === undefined) return undefined
  const dir = mkdtempSync(join(tmpdir(), 'ariftly-centrifugo-'))
  const port = await findFreePort()
  writeFileSync(join(dir, 'config.json'), JSON.stringify(settings(port)))
  // One processor for it, as for all that serve.
  const env = { ...process.env, GOMAXPROCS: '1' }
  const child = spawn(binary, ['-c', join(dir, 'config.json')], { stdio: ['ignore', 'ignore', 'inherit'], env })
  const { pid } = child
  if (pid === undefined) throw new Error('centrifugo could not be started')
  await eventually('centrifugo answers', async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok)
  pin(pid, cpu)
  const connect = encodeURIComponent(JSON.stringify({ subs: { bench: {} } }))
  return {
    port,
    pids: [pid],
    request: streamRequest(`/connection/uni_sse?cf_connect=${connect}`),
    async close() {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function settings(port: number): object {
  return {
    http_server: { address: '127.0.0.1', port },
    client: { insecure: true, ping_interval: '15s' },
    channel: {
      without_namespace: {
        history_size: 20,
        history_ttl: '300s',
        force_recovery: true,
        allow_subscribe_for_client: true,
      },
    },
    uni_sse: { enabled: true },
    http_api: { insecure: true },
    health: { enabled: true },
    log: { level: 'error' },
  }
}

function build(say: (line: string) => void): string | undefined {
  const base = process.env['XDG_CACHE_HOME']
  const folder = join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'ariftly-events/centrifugo')
  const binary = join(folder, 'centrifugo')
  if (existsSync(binary)) return binary
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) {
    say('there is no go: Centrifugo is left out')
    return undefined
  }
  say('building Centrifugo')
  mkdirSync(folder, { recursive: true })
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0' }
  if (spawnSync('go', ['install', MODULE], { stdio: ['ignore', 'ignore', 'inherit'], env }).status !== 0) {
    throw new Error('Centrifugo could not be built')
  }
  return binary
}
