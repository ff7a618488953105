import { setTimeout as sleep } from 'node:timers/promises'

/** The history of a tenant. */
export interface Life {
  readonly tenant: string
  readonly isDeleted: boolean
  /** Events that were accepted. */
  readonly accepted: number
}

/** Options of {@link liveAndDie}. */
export interface LifeOptions {
  readonly call: (key: string, method: string, path: string, body?: object) => Promise<Answer>
  /** A key with the scope `platform`. */
  readonly operator: string
  /** The URL of a receiver of webhooks. */
  readonly receiver: string
  readonly random: () => number
  readonly tenant: string
  readonly isDeleted: boolean
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Between two requests of a caller. */
const PAUSE_MS_MAX = 30
const LIFE_MS = { min: 100, max: 1_200 } as const
/** How long the callers of a deleted tenant continue. */
const AFTER_MS = 400
/** Answers that are no fault, before and after the deletion. */
const EXPECTED = new Set([200, 201, 202, 204, 401, 403, 404, 409])

/**
 * Makes a tenant that posts events and uses webhooks, replays, redeliveries and keys in a random order, and deletes it at a random
 * moment while it continues.
 */
export async function liveAndDie(o: LifeOptions): Promise<Life> {
  const { call, operator, tenant, random } = o
  const scopes = ['events:write', 'events:read', 'webhooks', 'admin']
  const made = await call(operator, 'POST', '/v1/api-keys', { name: tenant, tenant, scopes })
  const key = String(made.body['key'])
  const end = new AbortController()
  let accepted = 0
  let webhook = ''

  async function use(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await call(key, method, path, body)
    if (!EXPECTED.has(answer.status)) throw new Error(`${method} ${path} answered ${answer.status}`)
    return answer
  }

  async function postEvents(): Promise<void> {
    const events = Array.from({ length: 1 + Math.floor(random() * 20) }, () => {
      return { type: 'task.progress', task_id: `t${Math.floor(random() * 9)}`, data: { message: tenant } }
    })
    if ((await use('POST', '/v1/events', events)).status === 202) accepted += events.length
  }

  async function createWebhook(): Promise<void> {
    const { body } = await use('POST', '/v1/webhooks', { url: o.receiver, events: ['*'], description: tenant })
    if (typeof body['id'] === 'string') webhook = body['id']
  }

  const uses = [
    createWebhook,
    () => use('POST', `/v1/webhooks/${webhook}/replay`, { after: new Date(Date.now() - 60_000).toISOString() }),
    () => use('POST', '/v1/deliveries/redeliver', { filter: { webhook_id: webhook, status: 'delivered' } }),
    () => use('POST', `/v1/webhooks/${webhook}/rotate-secret`, {}),
    () => use('POST', '/v1/api-keys', { name: tenant, scopes: ['events:read'] }),
    () => use('PATCH', `/v1/webhooks/${webhook}`, { description: `${tenant} again` }),
  ]

  async function loop(act: () => Promise<unknown>): Promise<void> {
    while (!end.signal.aborted) {
      await act()
      await sleep(random() * PAUSE_MS_MAX)
    }
  }

  await createWebhook()
  const loops = [
    loop(postEvents),
    loop(postEvents),
    loop(async () => uses[Math.floor(random() * uses.length)]?.()),
    loop(async () => uses[Math.floor(random() * uses.length)]?.()),
  ]
  await sleep(LIFE_MS.min + random() * (LIFE_MS.max - LIFE_MS.min))
  if (o.isDeleted) {
    await call(operator, 'DELETE', `/v1/tenants/${tenant}`)
    await sleep(AFTER_MS)
  }
  end.abort()
  await Promise.all(loops)
  return { tenant, isDeleted: o.isDeleted, accepted }
}
