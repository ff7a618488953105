import { ingestConfig, start } from '@ariftly-services/ingest'
import { generateApiKey } from '@ariftly/auth'
import { newTypeId } from '@ariftly/events'
import { insertApiKey } from '@ariftly/store/api-keys'
import { serveInProcess, type InProcessService, type World } from '@ariftly/testkit'

/** Starts ingest in this process, on a port of its own. Resolves when it is ready. */
export async function serveIngest(env: World['env']): Promise<InProcessService> {
  return await serveInProcess({ config: ingestConfig, start }, env)
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
