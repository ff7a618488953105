import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ariftly, type NewEvent } from '@ariftly/sdk'
import { currentEpoch, openEpoch } from '@ariftly/store/projection'
import { createWorld, startServiceProcess, type ServiceProcess, type World } from '@ariftly/testkit'
import { installCli } from './install-cli.ts'
import { startInTerminal, startPiped, type PipedCli, type TerminalCli } from './start-cli.ts'

/** The whole product in one process that can be killed, and the command line installed from its tarball. */
export interface FlowSystem {
  readonly world: World
  readonly url: string
  readonly port: number
  readonly apiKey: string
  /** Kills the product. */
  killServer(): Promise<void>
  /** Starts it again, on the same port. */
  startServer(): Promise<void>
  /** What an operator does who takes the log for another one, while the server is down: positions in it are of no use then. */
  changeLog(): Promise<void>
  /** Runs the command line with its state in `home`; the server is `url` unless `env` says otherwise. */
  run(home: string, args: readonly string[], env?: Readonly<Record<string, string>>, input?: string): PipedCli
  /** The same in a terminal, of the usual size unless it is given. */
  open(
    home: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
    size?: { readonly cols: number; readonly rows: number },
  ): TerminalCli
  newHome(): string
  /** Numbers of the events of tasks that begin so, by task, in the order of the log. */
  numbers(tasks: string): Promise<ReadonlyMap<string, readonly number[]>>
  /** How many there are of them. */
  count(tasks: string): Promise<number>
  /** Calls the API with the key; throws when the answer is an error. */
  call(method: string, path: string, body: object): Promise<Record<string, unknown>>
  /** Posts events past all proxies. */
  post(events: readonly NewEvent[]): Promise<readonly string[]>
  close(): Promise<void>
}

/** For proxies: the server asks for seconds between two connections, and with this a client connects again at once. */
export function comeBackAtOnce(chunk: Buffer): Buffer {
  const text = chunk.toString('latin1')
  return Buffer.from(
    text.replace(/(?<=retry: )\d+/, (ms) => '1'.padStart(ms.length, '0')),
    'latin1',
  )
}

/** Starts it on a world of its own. */
export async function startFlowSystem(): Promise<FlowSystem> {
  const dataDir = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'cli-data-'))
  const [program, world] = await Promise.all([installCli(), createWorld({ env: { DATA_DIR: dataDir, DRAIN_MS: '0' } })])
  let server: ServiceProcess = await startServiceProcess('standalone', world.env)
  const { url, port } = server
  const apiKey = await world.apiKey('default', ['events:write', 'events:read', 'webhooks', 'admin'])
  const client = new Ariftly({ baseUrl: url, apiKey })
  const runs: (PipedCli | TerminalCli)[] = []
  const options = (home: string, args: readonly string[], env: Readonly<Record<string, string>>) => {
    return { program, args, env: { HOME: home, ARIFTLY_URL: url, ARIFTLY_API_KEY: apiKey, ...env } }
  }
  const started = <R extends PipedCli | TerminalCli>(run: R): R => {
    runs.push(run)
    return run
  }
  return {
    world,
    url,
    port,
    apiKey,
    async killServer() {
      server.kill('SIGKILL')
      await server.exited
    },
    async startServer() {
      server = await startServiceProcess('standalone', world.env, { port })
    },
    async changeLog() {
      const { topic } = world.topics
      const { clusterId = '', topicId = '' } = (await currentEpoch(world.admin, topic)) ?? {}
      await openEpoch(world.admin, { topic, clusterId, topicId })
    },
    run: (home, args, env = {}, input = '') => started(startPiped(options(home, args, env), input)),
    open: (home, args, env = {}, size) => started(startInTerminal(options(home, args, env), size)),
    newHome: () => mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'cli-home-')),
    async numbers(tasks) {
      const { rows } = await world.admin.query<{ task_id: string; n: number }>(
        `select task_id, (data->>'n')::int as n from events where task_id like $1 order by partition, "offset"`,
        [`${tasks}%`],
      )
      const byTask = new Map<string, number[]>()
      for (const { task_id: task, n } of rows) byTask.set(task, [...(byTask.get(task) ?? []), n])
      return byTask
    },
    async count(tasks) {
      const query = 'select count(*)::int as n from events where task_id like $1'
      const { rows } = await world.admin.query<{ n: number }>(query, [`${tasks}%`])
      return rows[0]?.n ?? 0
    },
    async call(method, path, body) {
      const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
      const answer = await fetch(url + path, { method, headers, body: JSON.stringify(body) })
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`)
      return JSON.parse(text) as Record<string, unknown>
    },
    post: async (events) => (await client.events.send(events)).map(({ id }) => id),
    async close() {
      for (const run of runs) run.kill('SIGKILL')
      await Promise.all(runs.map(({ exited }) => exited))
      await client.close({ timeoutMs: 1000 })
      server.kill('SIGTERM')
      await server.exited
      await world.close()
    },
  }
}
