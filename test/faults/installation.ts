import { expect } from '@jest/globals'
import {
  createPartitionPosts,
  createRandom,
  createWorld,
  randomSeed,
  startReceiver,
  startServiceProcess,
  testFolder,
  type PartitionPosts,
  type Receiver,
  type ServiceProcess,
  type World,
  type WorldOptions,
} from '@ariftly/testkit'
import pg from 'pg'
import type { StreamOptions } from '@ariftly/sdk'
import { followStream, type FollowedStream } from '../support/follow-stream.ts'
import { tooManyDuplicates } from './checker.ts'
import { SERVICES, SHORT_TIMES, startFleet, type ServiceName } from './fleet.ts'
import { observeAtRest } from './rest.ts'
import { startRun, STREAMS, totals, unexpected, WEBHOOKS, type Run } from './run.ts'
import { expectAllHeld } from './verdict.ts'

/** The services of an installation that run. */
export interface RunningServices {
  /** Where each service is. */
  readonly urls: Readonly<Record<ServiceName, string>>
  stop(): Promise<void>
}

/** Starts one process of each service. */
export async function startProcesses(env: Readonly<Record<string, string>>): Promise<RunningServices> {
  const replicas = await startFleet(env, { ingest: 1, projector: 1, api: 1, 'stream-gateway': 1, 'webhook-worker': 1 })
  const urls = Object.fromEntries(replicas.map(({ service, url }) => [service, url])) as RunningServices['urls']
  return { urls, stop: async () => void (await Promise.all(replicas.map((replica) => replica.stop()))) }
}

/** Starts all services in one process. */
export async function startOneProcess(env: Readonly<Record<string, string>>): Promise<RunningServices> {
  const service: ServiceProcess = await startServiceProcess('standalone', env, { timeoutMs: 60_000 })
  const urls = Object.fromEntries(SERVICES.map((name) => [name, service.url])) as RunningServices['urls']
  return {
    urls,
    async stop() {
      service.kill('SIGTERM')
      await service.exited
    },
  }
}

export interface InstallationOptions extends Pick<WorldOptions, 'addresses' | 'replication'> {
  /** Seeds the clients' choices. */
  readonly name: string
  readonly partitions: number
  /** A process for each service, or one for all. */
  readonly start: (env: Readonly<Record<string, string>>, world: World) => Promise<RunningServices>
}

/** The whole product on its own topics and database, with a receiver of webhooks. */
export interface Installation {
  readonly world: World
  readonly receiver: Receiver
  readonly urls: RunningServices['urls']
  /** Clients of all kinds at work. */
  startRun(o: { readonly clients: number; readonly eventsPerS: number }): Promise<Run>
  /** Posts to partitions that the caller chooses. */
  readonly posts: PartitionPosts
  /** Asks a service, with the key of a tenant. A body makes it a POST. */
  request(service: ServiceName, path: string, body?: string, signal?: AbortSignal): Promise<Response>
  /** Follows the stream of tenant `north`. */
  followStream(options?: StreamOptions): Promise<FollowedStream>
  /** Ends the clients and checks every promise. */
  allHeld(run: Run): Promise<void>
  stop(): Promise<void>
}

/** Starts an installation for a test that breaks what it depends on. */
export async function startInstallation(o: InstallationOptions): Promise<Installation> {
  const dataDir = testFolder('installation')
  const world = await createWorld({ ...o, env: { ...SHORT_TIMES, DATA_DIR: dataDir } })
  const receiver = await startReceiver()
  const db = new pg.Pool({ connectionString: world.database.adminUrl, max: 2 })
  const services = await o.start(world.env, world)
  const apiKey = await world.apiKey('north')
  const { urls } = services
  const over = new AbortController()
  const posts = createPartitionPosts({ url: urls.ingest, apiKey, tenant: 'north', partitions: o.partitions })

  async function request(service: ServiceName, path: string, body?: string, signal?: AbortSignal): Promise<Response> {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
    return await fetch(`${urls[service]}${path}`, {
      headers,
      ...(body === undefined ? {} : { method: 'POST', body }),
      ...(signal === undefined ? {} : { signal }),
    })
  }

  return {
    world,
    receiver,
    urls,
    posts,
    request,
    startRun: (load) =>
      startRun({
        ...load,
        world,
        receiver,
        ingest: () => urls.ingest,
        api: () => urls.api,
        gateways: () => [urls['stream-gateway']],
        random: createRandom(randomSeed(o.name)),
        streams: STREAMS,
        webhooks: WEBHOOKS,
        roamMs: 600_000,
        signal: over.signal,
      }),
    followStream: (options) => followStream(urls['stream-gateway'], apiKey, options),
    async allHeld(run) {
      const reports = await Promise.all(run.clients.map((client) => client.finish()))
      const observation = await observeAtRest({ run, world, db, receiver, patienceMs: 90_000, settleMs: 300, say })
      say(`${o.name}: ${JSON.stringify(totals(reports))}`)
      expect(unexpected(run, reports)).toEqual([])
      expectAllHeld(observation)
      const posted = new Map([...run.posts, ...posts.posted.map((id) => [id, 1] as const)])
      expect(tooManyDuplicates(observation.log, posted)).toEqual([])
    },
    async stop() {
      over.abort()
      await services.stop()
      await db.end()
      await receiver.close()
      await world.close()
    },
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
