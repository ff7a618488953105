import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort, startSupervised } from '@ariftly/local-stack'
import { DEADLINES, eventually } from './eventually.ts'
import { testFolder } from './temporary-folder.ts'

/** The services that can be run as a process. */
export type ServiceProcessName =
  'ingest' | 'projector' | 'api' | 'stream-gateway' | 'webhook-worker' | 'migrate' | 'standalone'

/** A service that runs as a process of its own. It ends with the test process at the latest. */
export interface ServiceProcess {
  /** `http://127.0.0.1:<port>`, also of services that serve only `/readyz` and `/metrics`. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Sends a signal; `exited` resolves when the process has ended. */
  kill(signal?: NodeJS.Signals): void
  /** The exit code, 128 + its number after a signal. */
  readonly exited: Promise<number>
  /** All that it has written so far. */
  output(): string
  /** The value of the first series that begins with this name and labels; 0 for labels without one. Throws for another metric. */
  metric(start: string): Promise<number>
  /** Its memory, as the kernel counts it. */
  residentBytes(): number
}

/** How to start a service. */
export interface ServiceProcessOptions {
  /** The port of a previous process; default: a free one. */
  readonly port?: number
  /** Default true: resolves when `/readyz` answers 200. */
  readonly untilReady?: boolean
  /** How long to wait for that; default `DEADLINES.step`. */
  readonly timeoutMs?: number
  /** A built checkout to run the service of; default: this one. */
  readonly root?: string
}

const ROOT = join(import.meta.dirname, '../../..')

/**
 * Runs `node services/<name>/dist/main.js` with exactly `env` (and PATH), so tests use the shipped build: build first.
 * @throws Error with the output of the service when it ends or does not become ready.
 */
export async function startServiceProcess(
  name: ServiceProcessName,
  env: Readonly<Record<string, string>>,
  options: ServiceProcessOptions = {},
): Promise<ServiceProcess> {
  const root = options.root ?? ROOT
  const main = join(root, 'services', name, 'dist/main.js')
  if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build first.`)
  const port = options.port ?? (await findFreePort())
  const logFile = join(testFolder(name), 'log')
  const whole = { ...env, PORT: String(port), PATH: process.env['PATH'] ?? '' }
  const command = { file: process.execPath, args: ['--enable-source-maps', main], env: whole, cwd: root }
  const { pid, exited } = await startSupervised(command, { signal: 'SIGKILL', graceMs: 0 }, logFile)
  const service: ServiceProcess = {
    url: `http://127.0.0.1:${port}`,
    port,
    pid,
    exited,
    kill: (signal = 'SIGKILL') => {
      try {
        process.kill(pid, signal)
      } catch {
        // It has ended already.
      }
    },
    output: () => readFileSync(logFile, 'utf8'),
    async metric(start) {
      const page = await (await fetch(`${service.url}/metrics`)).text()
      const line = page.split('\n').find((text) => text.startsWith(start))
      const metric = start.replace(/[{ ].*$/, '')
      if (!page.includes(`# TYPE ${metric} `)) throw new Error(`${name} has no metric ${metric}`)
      return Number(line?.split(' ').at(-1) ?? 0)
    },
    residentBytes() {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8')
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
    },
  }
  if (options.untilReady !== false) await awaitReady(service, name, options.timeoutMs ?? DEADLINES.step)
  return service
}

async function awaitReady(service: ServiceProcess, name: string, timeoutMs: number): Promise<void> {
  let code: number | undefined
  const watch = async () => {
    code = await service.exited
  }
  void watch()
  const isReady = async () => {
    if (code !== undefined) return true
    const { status } = await fetch(`${service.url}/readyz`, { signal: AbortSignal.timeout(2000) })
    return status === 200
  }
  const failure = await eventually(`${name} is ready`, isReady, { timeoutMs, everyMs: 50 }).then(
    () => (code === undefined ? undefined : `ended with code ${code}`),
    () => `was not ready within ${timeoutMs} ms`,
  )
  if (failure === undefined) return
  service.kill()
  await service.exited
  throw new Error(`${name} ${failure}. Its output:\n${service.output()}`)
}
