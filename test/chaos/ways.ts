import { startCuttingProxy, startKafkaProxies, type CuttingProxy, type World } from '@ariftly/testkit'
import type { Replica, ServiceName } from '../faults/fleet.ts'
import { startHoppingProxy, type HoppingProxy } from '../support/hopping-proxy.ts'
import type { PartName } from './fault-plan.ts'

/** The way to a server, or to all brokers of a cluster. */
type Way = Pick<CuttingProxy, 'connections' | 'cutAfterBytes' | 'freeze' | 'resume' | 'dropAll'>

/** The connections from services to backends, which can be cut and can drop all data. */
export interface BackWays {
  readonly ways: Readonly<Record<PartName, Way>>
  /** The way to each broker. */
  readonly brokers: readonly CuttingProxy[]
  /** The environment of services that take these ways. */
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

/** Starts a proxy in front of each server of a world. */
export async function startBackWays(world: World): Promise<BackWays> {
  const { KAFKA_BROKERS = '', DATABASE_URL = '', REDIS_URL = '' } = world.env
  const brokers = await startKafkaProxies(KAFKA_BROKERS.split(','))
  const postgres = await startCuttingProxy(targetOf(DATABASE_URL))
  const redis = await startCuttingProxy(targetOf(REDIS_URL))
  return {
    ways: { kafka: togetherOf(brokers), postgres, redis },
    brokers,
    env: {
      ...world.env,
      KAFKA_BROKERS: brokers.map(({ port }) => `127.0.0.1:${port}`).join(),
      DATABASE_URL: withPort(DATABASE_URL, postgres.port),
      REDIS_URL: withPort(REDIS_URL, redis.port),
    },
    close: async () => void (await Promise.all([...brokers, postgres, redis].map((proxy) => proxy.close()))),
  }
}

function togetherOf(proxies: readonly CuttingProxy[]): Way {
  return {
    get connections() {
      return proxies.reduce((sum, { connections }) => sum + connections, 0)
    },
    cutAfterBytes: (bytes) => proxies.forEach((proxy) => proxy.cutAfterBytes(bytes)),
    freeze: () => proxies.forEach((proxy) => proxy.freeze()),
    resume: () => proxies.forEach((proxy) => proxy.resume()),
    dropAll: () => proxies.forEach((proxy) => proxy.dropAll()),
  }
}

/** The services that clients call. */
const PUBLIC = ['ingest', 'api', 'stream-gateway'] as const

/** The ways from clients to services: each connection is led to either replica, alive or not. */
export interface FrontWays {
  readonly ways: Readonly<Record<(typeof PUBLIC)[number], HoppingProxy>>
  /** Connections that are open now. */
  connections(): number
  setCutting(isCutting: boolean): void
  dropAll(): void
  close(): Promise<void>
}

/** Starts a hopping proxy in front of each public service. */
export async function startFrontWays(replicas: readonly Replica[], random: () => number): Promise<FrontWays> {
  const start = async (service: ServiceName) => {
    const ports = replicas.filter((replica) => replica.service === service).map(({ url }) => Number(new URL(url).port))
    return await startHoppingProxy({ ports, random, bytes: { min: 100, max: 100_000 } })
  }
  const ways = {
    ingest: await start('ingest'),
    api: await start('api'),
    'stream-gateway': await start('stream-gateway'),
  }
  const all = PUBLIC.map((service) => ways[service])
  return {
    ways,
    connections: () => all.reduce((sum, { connections }) => sum + connections, 0),
    setCutting(isCutting) {
      for (const proxy of all) proxy.setCutting(isCutting)
    },
    dropAll() {
      for (const proxy of all) proxy.dropAll()
    },
    close: async () => void (await Promise.all(all.map((proxy) => proxy.close()))),
  }
}

function targetOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

function withPort(url: string, port: number): string {
  const changed = new URL(url)
  changed.port = String(port)
  return changed.href
}
