import { ingestConfig, start as startIngest } from '@ariftly-services/ingest'
import { projectorConfig, start as startProjector } from '@ariftly-services/projector'
import { start as startStreamGateway, streamGatewayConfig } from '@ariftly-services/stream-gateway'
import { start as startWebhookWorker, webhookWorkerConfig } from '@ariftly-services/webhook-worker'
import {
  createBackends,
  createLogger,
  createMetrics,
  readConfig,
  type Running,
  type ServiceDeps,
} from '@ariftly/runtime'
import { countTimers, createWorld, eventually, type World } from '@ariftly/testkit'
import { expect, test } from '@jest/globals'

type Start = (env: World['env'], deps: ServiceDeps) => Promise<Running>

test.each<[string, { readonly woken: number; readonly made: number }, Start]>([
  ['ingest', { woken: 15, made: 35 }, (env, deps) => startIngest(readConfig(ingestConfig, env), deps)],
  ['projector', { woken: 10, made: 30 }, (env, deps) => startProjector(readConfig(projectorConfig, env), deps)],
  [
    'stream-gateway',
    { woken: 9, made: 35 },
    (env, deps) => startStreamGateway(readConfig(streamGatewayConfig, env), deps),
  ],
  [
    'webhook-worker',
    { woken: 33, made: 75 },
    (env, deps) => startWebhookWorker(readConfig(webhookWorkerConfig, env), deps),
  ],
])('%s at rest is woken by fewer timers a second, and makes fewer, than %j', async (name, fewerThan, start) => {
  const world = await createWorld()
  const timers = countTimers()
  const log = createLogger({ service: name, level: 'error' })
  const metrics = createMetrics()
  const backends = createBackends({ metrics, log })
  const service = await start(world.env, { log, metrics, backends, signal: new AbortController().signal })
  try {
    await eventually('all checks are ok', () => Object.values(service.ready().checks).every((check) => check === 'ok'))
    const { woken, made } = await timers.during(4_000)
    expect(woken).toBeLessThan(fewerThan.woken)
    expect(made).toBeLessThan(fewerThan.made)
  } finally {
    timers.stop()
    await service.close()
    await world.close()
  }
})
