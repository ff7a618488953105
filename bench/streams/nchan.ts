import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '@ariftly/local-stack'
import { eventually } from '@ariftly/testkit'
import { pin } from '../ingest/worker.ts'
import { childrenOf } from '../support/process-usage.ts'

/** nginx with nchan, one worker. */
export interface Nchan {
  readonly port: number
  /** The worker's process: what serves the streams. */
  readonly pids: readonly number[]
  close(): Promise<void>
}

/** nchan makes its folder under `/var/lib/nginx` with any settings, so it gets a private one. Needs root. */
const OWN_FOLDER = 'mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/nginx && exec "$0" "$@"'
const PACKAGES = ['nginx', 'libnginx-mod-nchan']

/** Starts Debian's nginx and nchan, fetched and unpacked into the cache the first time; nothing is installed. */
export async function startNchan(say: (line: string) => void, cpu: number): Promise<Nchan> {
  const root = fetchPackages(say)
  const dir = mkdtempSync(join(tmpdir(), 'ariftly-nchan-'))
  const port = await findFreePort()
  writeFileSync(join(dir, 'nginx.conf'), settings({ root, dir, port }))
  const args = ['-p', dir, '-e', join(dir, 'error.log'), '-c', join(dir, 'nginx.conf')]
  const command = ['--mount', '/bin/sh', '-c', OWN_FOLDER, join(root, 'usr/sbin/nginx'), ...args]
  const master = spawn('unshare', command, { stdio: ['ignore', 'ignore', 'inherit'] })
  const { pid } = master
  if (pid === undefined) throw new Error('nginx could not be started')
  await eventually('nginx listens', () => canConnect(port))
  // It listens before its worker, the measured process, exists.
  const pids = await eventually('nginx has a worker', () => someOf(childrenOf(pid)))
  for (const each of [pid, ...pids]) pin(each, cpu)
  return {
    port,
    pids,
    async close() {
      const exited = once(master, 'exit')
      master.kill('SIGTERM')
      await exited
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** `/sub` is a stream, `POST /pub` publishes its body. Timeouts are such that nothing ends a stream. */
function settings({ root, dir, port }: { readonly root: string; readonly dir: string; readonly port: number }): string {
  return `
load_module ${join(root, 'usr/lib/nginx/modules/ngx_nchan_module.so')};
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${join(dir, 'pid')};
events { worker_connections 19000; }
http {
  access_log off;
  client_body_temp_path ${join(dir, 'body')};
  proxy_temp_path ${join(dir, 'proxy')};
  fastcgi_temp_path ${join(dir, 'fastcgi')};
  uwsgi_temp_path ${join(dir, 'uwsgi')};
  scgi_temp_path ${join(dir, 'scgi')};
  keepalive_requests 100000000;
  nchan_max_reserved_memory 256M;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /sub {
      nchan_subscriber eventsource;
      nchan_channel_id bench;
      nchan_subscriber_first_message newest;
      nchan_eventsource_ping_interval 15;
    }
    location = /pub {
      nchan_publisher;
      nchan_channel_id bench;
      nchan_message_buffer_length 20;
    }
  }
}
`
}

function fetchPackages(say: (line: string) => void): string {
  const base = process.env['XDG_CACHE_HOME']
  const cache = join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'ariftly-events')
  const folder = join(cache, 'nchan')
  if (existsSync(folder)) return folder
  say('fetching nginx and nchan')
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(`${folder}.`)
  try {
    if (!runs('apt-get', ['download', '-q', ...PACKAGES], work)) {
      runs('apt-get', ['update', '-q'], work)
      if (!runs('apt-get', ['download', '-q', ...PACKAGES], work)) throw new Error('apt-get could not fetch nchan')
    }
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
      if (!runs('dpkg', ['-x', file, 'out'], work)) throw new Error(`dpkg could not unpack ${file}`)
    }
    renameSync(join(work, 'out'), folder)
    return folder
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function runs(file: string, args: readonly string[], cwd: string): boolean {
  return spawnSync(file, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  socket.destroy()
  return true
}

function someOf(pids: readonly number[]): readonly number[] {
  if (pids.length === 0) throw new Error('nginx has no worker yet')
  return pids
}
