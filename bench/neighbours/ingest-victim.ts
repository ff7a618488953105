import { generateApiKey } from '@ariftly/auth'
import { newTypeId } from '@ariftly/events'
import { createPool, type Pool } from '@ariftly/store'
import { insertApiKey } from '@ariftly/store/api-keys'
import { EVENT, postEvents } from '../../test/isolation/ingest/attacks.ts'
import { startBenchStack } from '../support/bench-stack.ts'
import { bySize } from '../support/size.ts'

/** Ingest as a process of its own, a victim that posts to it, and the keys of two attacking tenants. */
export interface IngestVictim {
  readonly port: number
  /** Of another ingest process, to which the victim posts nothing. */
  readonly otherPort: number
  readonly attackers: readonly string[]
  /** Posts one event every `POST_EVERY_MS` for a window; gives the times, ms. */
  measure(): Promise<readonly number[]>
  close(): Promise<void>
}

const POSTS = bySize({ full: 150, smallest: 20 })
const POST_EVERY_MS = 20
/** Two of warm-up, and five windows alone, five during the control and five during the attack. */
const WINDOWS = bySize({ full: 17, smallest: 1 })

/** Starts it. With `freshKeys` the victim posts each event with a key that ingest has not seen. */
export async function startIngestVictim({ freshKeys }: { readonly freshKeys: boolean }): Promise<IngestVictim> {
  return await startBenchStack({ parts: ['kafka', 'postgres'] }, async ({ stack, start, close }) => {
    const pool = createPool({ role: null, url: stack.addresses.postgres, applicationName: 'bench', max: 1 })
    const attackers = await storeKeys(pool, ['one', 'two'])
    const keys = await storeKeys(
      pool,
      Array.from({ length: freshKeys ? POSTS * WINDOWS : 1 }, () => 'victim'),
    )
    await pool.end()
    const { port } = await start('ingest')
    const { port: otherPort } = await start('ingest')
    let posts = 0

    async function timePost(): Promise<number> {
      const key = keys[posts % keys.length] ?? ''
      posts += 1
      const startedMs = performance.now()
      const { status, body } = await postEvents({ port, key }, EVENT)
      if (status !== 202) throw new Error(`The victim was answered ${status}: ${body}`)
      return performance.now() - startedMs
    }

    async function measure(): Promise<readonly number[]> {
      const times: Promise<number>[] = []
      for (let post = 0; post < POSTS; post += 1) {
        times.push(timePost())
        await new Promise((resolve) => setTimeout(resolve, POST_EVERY_MS))
      }
      return await Promise.all(times)
    }

    return { port, otherPort, attackers, measure, close }
  })
}

async function storeKeys(pool: Pool, tenants: readonly string[]): Promise<readonly string[]> {
  const keys: string[] = []
  for (const tenant of tenants) {
    const { key, hash } = generateApiKey()
    const nowMs = Date.now()
    await insertApiKey(pool, {
      id: newTypeId('key', nowMs),
      tenant,
      name: 'bench',
      scopes: ['events:write'],
      hash,
      quota: { eventsPerS: null, bytesPerS: null },
      expiresAtMs: null,
      createdAtMs: nowMs,
    })
    keys.push(key)
  }
  return keys
}
