import { ingestConfig, start } from '@ariftly-services/ingest'
import { generateApiKey } from '@ariftly/auth'
import { newTypeId } from '@ariftly/events'
import { serveService, type ServedService } from '@ariftly/http'
import { createLogger, createMetrics, readConfig } from '@ariftly/runtime'
import { insertApiKey } from '@ariftly/store/api-keys'
import { eventually, type World } from '@ariftly/testkit'

/** Starts ingest in this process, on a port of its own. Resolves when it is ready. */
export async function serveIngest(env: World['env']): Promise<ServedService> {
  const signal = AbortSignal.timeout(600_000)
  const deps = { signal, metrics: createMetrics(), log: createLogger({ service: 'ingest', level: 'silent' }) }
  const address = { port: 0, host: '127.0.0.1', drainMs: 5000, metricsPort: undefined }
  const served = await serveService(await start(readConfig(ingestConfig, env), deps), address, deps)
  await eventually(() => served.ready().ready)
  return served
}

/** Stores a key as the API makes it. */
export async function createKey(world: World, tenant: string, eventsPerS: number | null = null): Promise<string> {
  const { key, hash } = generateApiKey()
  const nowMs = Date.now()
  await insertApiKey(world.admin, {
    id: newTypeId('key', nowMs),
    tenant,
    name: 'test',
    scopes: ['events:write'],
    hash,
    quota: { eventsPerS, bytesPerS: null },
    expiresAtMs: null,
    createdAtMs: nowMs,
  })
  return key
}
