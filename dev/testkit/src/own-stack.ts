import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack, type LocalStack, type Part, type PartName } from '@ariftly/local-stack'
import { createTemplateDatabase } from './database.ts'
import { stackEnvironment } from './stack-environment.ts'

/**
 * Starts a stack that a test may stop, pause and kill parts of: real Kafka, Postgres (with the migrated database that
 * `createTestDatabase` and `createWorld` clone) and Redis, without a trace afterwards. About 3 s.
 */
export async function startOwnStack(): Promise<LocalStack & { readonly dataDir: string }> {
  const stack = await startParts()
  try {
    await createTemplateDatabase(stack.addresses.postgres)
    return stack
  } catch (error) {
    await stack.close()
    throw error
  }
}

/** Starts a Kafka cluster of one broker that has nothing to do with any other. About 3 s. */
export async function startOwnKafka(): Promise<LocalStack & { readonly dataDir: string }> {
  return await startParts(['kafka'])
}

/** Starts a Redis that has nothing to do with any other. Under 1 s. */
export async function startOwnRedis(): Promise<LocalStack & { readonly redis: Part }> {
  const stack = await startParts(['redis'])
  const { redis } = stack
  if (redis === undefined) throw new Error('the stack has no Redis of its own')
  return { ...stack, redis }
}

async function startParts(parts?: readonly PartName[]): Promise<LocalStack & { readonly dataDir: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-test-'))
  const stack = await startStack({
    dataDir,
    ephemeral: true,
    env: stackEnvironment(),
    ...(parts === undefined ? {} : { parts }),
    progress: (line) => process.stderr.write(`${line}\n`),
    onExit: (_name, detail) => process.stderr.write(`${detail}\n`),
  })
  return { ...stack, dataDir }
}
