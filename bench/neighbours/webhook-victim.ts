import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINES, eventually } from '@ariftly/testkit'
import { startWebhookSystem, type BenchWebhook, type WebhookSystem } from '../webhooks/system.ts'
import { bySize } from '../support/size.ts'

/** One worker, a victim with one healthy webhook, and receivers for the webhooks of others. */
export interface WebhookVictim {
  readonly system: WebhookSystem
  /** Waits of one window: from ingest's answer to the request at the victim's receiver, ms. */
  measure(): Promise<readonly number[]>
  /** Makes webhooks of another tenant: their receivers answer immediately, or after 14 s (`slow`). */
  subscribeRude(count: number, o: { readonly slow?: boolean } & Omit<BenchWebhook, 'agent' | 'url'>): Promise<void>
  /** Posts events of another tenant that all of its webhooks want. */
  postRude(tenant: string, count: number): Promise<void>
  /** Posts as many events that no webhook wants: the load of ingest and projection alone. */
  postUnwanted(tenant: string, count: number): Promise<void>
  /** Enables or disables the webhooks of all others. */
  enableRude(enabled: boolean): Promise<void>
  close(): Promise<void>
}

const EVENTS = bySize({ full: 200, smallest: 10 })
const PAUSE_MS = 20
const RUDE_AGENT = 'rude'
const POST_MAX = 1_000
/** Numbers of other tenants' events start here. */
const RUDE_FROM = 10_000_000

export async function startWebhookVictim(): Promise<WebhookVictim> {
  const system = await startWebhookSystem()
  try {
    const [victimUrl = '', okUrl = '', slowUrl = ''] = await system.listen(['ok', 'ok', 'slow'])
    await system.subscribe({ tenant: 'calm', agent: 'calm', url: victimUrl })
    await system.startWorker()
    let next = 0

    async function measure(): Promise<readonly number[]> {
      const first = next
      next += EVENTS
      const acceptedMs: number[] = []
      const posting: Promise<void>[] = []
      const post = async (number: number) => {
        acceptedMs[number - first] = await system.post('calm', ['calm'], number)
      }
      for (let number = first; number < next; number += 1) {
        posting.push(post(number))
        await sleep(PAUSE_MS)
      }
      await Promise.all(posting)
      const waits = new Map<number, number>()
      await eventually(
        'all events of the victim are received',
        async () => {
          for (const [, number, atMs] of await system.takeArrivals()) {
            const acceptedAt = acceptedMs[number - first]
            if (acceptedAt !== undefined) waits.set(number, Math.max(0, atMs - acceptedAt))
          }
          return waits.size >= EVENTS
        },
        { timeoutMs: DEADLINES.load, everyMs: 100 },
      )
      return [...waits.values()]
    }

    async function subscribeRude(count: number, o: Parameters<WebhookVictim['subscribeRude']>[1]): Promise<void> {
      const { slow = false, ...webhook } = o
      const url = slow ? slowUrl : okUrl
      for (let number = 0; number < count; number += 1) await system.subscribe({ ...webhook, agent: RUDE_AGENT, url })
    }

    async function postAs(tenant: string, agent: string, count: number): Promise<void> {
      for (let posted = 0; posted < count; posted += POST_MAX) {
        const agents = Array.from({ length: Math.min(POST_MAX, count - posted) }, () => agent)
        await system.post(tenant, agents, RUDE_FROM + posted)
      }
    }

    return {
      system,
      measure,
      subscribeRude,
      postRude: (tenant, count) => postAs(tenant, RUDE_AGENT, count),
      postUnwanted: (tenant, count) => postAs(tenant, 'unwanted', count),
      enableRude: (enabled) => system.enable([RUDE_AGENT], enabled),
      close: () => system.close(),
    }
  } catch (error) {
    await system.close()
    throw error
  }
}

/** Waits until a query that counts rows gives none. */
export async function noneLeft(system: WebhookSystem, sql: string): Promise<void> {
  await eventually('no row is left', async () => (await system.pool.query(sql)).rows.length === 0, {
    timeoutMs: DEADLINES.load,
    everyMs: 200,
  })
}
