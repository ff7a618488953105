import { apiConfig, start as startApi } from '@ariftly-services/api'
import { ingestConfig, start as startIngest } from '@ariftly-services/ingest'
import { projectorConfig, start as startProjector } from '@ariftly-services/projector'
import { start as startStreamGateway, streamGatewayConfig } from '@ariftly-services/stream-gateway'
import { start as startWebhookWorker, webhookWorkerConfig } from '@ariftly-services/webhook-worker'
import { startAuthenticator, type SharedAuthenticator } from '@ariftly/auth'
import { createServiceRouter, type HttpService } from '@ariftly/http'
import {
  createLogger,
  createReleasers,
  databaseConfig,
  readConfig,
  type ConfigOf,
  type ConfigSpec,
  type Readiness,
  type ServiceDeps,
} from '@ariftly/runtime'

/**
 * Starts the five services in this process as one service: one router by the route table, one readiness, one authenticator. If
 * one cannot be started, the others are closed before the error is thrown.
 * @param env the environment of all five.
 */
export async function startServices(env: NodeJS.ProcessEnv, deps: ServiceDeps): Promise<HttpService> {
  const releasers = createReleasers(deps.log)
  // One authenticator for all: its feed of key changes is the most frequent query of an idle process.
  const authenticator = startAuthenticator(readConfig(databaseConfig, env), { ...deps, name: 'standalone', releasers })
  const shared = { ...deps, authenticator }
  const settled = await Promise.allSettled(MEMBERS.map((each) => startMember(each, env, shared)))
  const started = settled.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  for (const service of started) releasers.add(service.name, () => service.close())
  const failed = settled.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) {
    await releasers.close()
    throw failed.reason
  }
  return {
    name: 'standalone',
    router: createServiceRouter(Object.fromEntries(started.map(({ name, router }) => [name, router ?? unreachable]))),
    connectionFront: started.find(({ connectionFront }) => connectionFront !== undefined)?.connectionFront,
    ready: () => combineReadiness(started),
    drain: async () => {
      await Promise.all(started.map(async (service) => service.drain?.()))
    },
    close: () => releasers.close(),
  }
}

type MemberDeps = ServiceDeps & SharedAuthenticator

interface Member {
  readonly name: string
  start(env: NodeJS.ProcessEnv, deps: MemberDeps): Promise<HttpService>
}

// In the order of the flow of an event, so that they are closed from its end.
const MEMBERS: readonly Member[] = [
  member('api', apiConfig, startApi),
  member('ingest', ingestConfig, startIngest),
  member('projector', projectorConfig, startProjector),
  member('stream-gateway', streamGatewayConfig, startStreamGateway),
  member('webhook-worker', webhookWorkerConfig, startWebhookWorker),
]

function member<S extends ConfigSpec>(
  name: string,
  spec: S,
  start: (config: ConfigOf<S>, deps: MemberDeps) => Promise<HttpService>,
): Member {
  return { name, start: (env, deps) => start(readConfig(spec, env), deps) }
}

async function startMember(service: Member, env: NodeJS.ProcessEnv, deps: MemberDeps): Promise<HttpService> {
  const log = createLogger({ service: service.name, level: deps.log.level })
  // One process has one `service.name`: the scope names the service of a span.
  const tracing = deps.tracing?.scope(`ariftly-${service.name}`)
  const running = await service.start(env, { ...deps, log, tracing })
  return { ...running, name: service.name }
}

function combineReadiness(services: readonly HttpService[]): Readiness {
  const all = services.map((service) => ({ name: service.name, ...service.ready() }))
  const checks = all.flatMap(({ name, ready, checks: own }) => [
    [name, ready ? 'ok' : 'not ready'] as const,
    ...Object.entries(own).map(([check, value]) => [`${name}.${check}`, value] as const),
  ])
  return { ready: all.every(({ ready }) => ready), checks: Object.fromEntries(checks) }
}

/** The route table sends nothing to a service without routes. */
function unreachable(): never {
  throw new Error('This service has no routes.')
}
