import { createPool, type Pool as DatabasePool } from '@ariftly/store'
import { byForm, createRandom, eventually, randomSeed } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { createAttack } from './attack.ts'
import { documentedOperations } from './documented-operations.ts'
import { findHidden, checkExchange } from './oracle.ts'
import { seedTenant, type SeededTenant } from './seeded-tenant.ts'
import { closeConnections, sendRaw } from './send-raw.ts'
import { readTenantState } from './tenant-state.ts'

const ALONE = byForm({ short: 1200, long: 12_000 })
const AT_ONCE = byForm({ short: 300, long: 6000 })
const TIMEOUT_MS = byForm({ short: 120_000, long: 900_000 })
const IN_FLIGHT = 8

const operations = documentedOperations()

let system: Standalone
let admin: DatabasePool
let alpha: SeededTenant
let bravo: SeededTenant
let carol: SeededTenant
let random: () => number

beforeAll(async () => {
  random = createRandom(randomSeed('two tenants'))
  system = await startStandalone({ WEBHOOK_TIMEOUT_MS: '1000' })
  admin = createPool({ role: null, url: system.env['DATABASE_ADMIN_URL'] ?? '', applicationName: 'test', max: 4 })
  alpha = await seedTenant(system, 'alpha')
  bravo = await seedTenant(system, 'bravo')
  carol = await seedTenant(system, 'carol')
})

afterAll(async () => {
  closeConnections()
  await Promise.all([alpha?.close(), bravo?.close(), carol?.close()])
  await admin?.end()
  await system?.close()
})

interface Outcome {
  readonly faults: readonly string[]
  /** How many answers each route gave, by the first digit of their status. */
  readonly answers: ReadonlyMap<string, number>
}

/** Lets one tenant send `count` requests at the other. */
async function attack(attacker: SeededTenant, victim: SeededTenant, count: number): Promise<Outcome> {
  const faults: string[] = []
  const answers = new Map<string, number>()
  const next = createAttack({
    operations,
    random,
    apiKey: attacker.apiKey,
    receiverUrl: attacker.receiver.url,
    own: attacker.expendable,
    foreign: victim.pool,
    mark: attacker.mark,
    made: attacker.made,
  })
  let left = count

  async function sendOnAndOn(): Promise<void> {
    while (left-- > 0) {
      const sent = next()
      const { status, text: answer } = await sendRaw(system.url, sent)
      const request = `${sent.method} ${sent.path} ${sent.body?.toString('utf8', 0, 200) ?? ''}`
      const { namesForeignObject } = sent
      faults.push(...checkExchange({ request, status, answer, namesForeignObject }, victim.hidden))
      const kind = `${sent.route} ${Math.floor(status / 100)}xx`
      answers.set(kind, (answers.get(kind) ?? 0) + 1)
    }
  }

  await Promise.all(Array.from({ length: IN_FLIGHT }, sendOnAndOn))
  return { faults, answers }
}

/** What a tenant was sent of the other's: by webhook, and on the stream that it had open all the time. */
function foreignContentOf(tenant: SeededTenant, other: SeededTenant): readonly string[] {
  const deliveries = tenant.receiver.requests.map(({ path, headers, body }) =>
    [path, JSON.stringify(headers), body.toString('utf8')].join('\n'),
  )
  return [...deliveries, tenant.stream.text()].flatMap((text) => findHidden(text, other.hidden))
}

describe('the checks', () => {
  test('notices the content of a tenant in each answer that the tenant itself gets', async () => {
    const headers = { authorization: `Bearer ${alpha.apiKey}` }
    const [webhook = ''] = alpha.pool.ids.whk
    const paths = ['/v1/events', '/v1/api-keys', `/v1/webhooks/${webhook}/deliveries`]
    paths.push(`/v1/events/stream?after=${new Date(Date.now() - 600_000).toISOString()}`, `/v1/webhooks/${webhook}`)
    for (const path of paths) {
      const { status, text: answer } = await sendRaw(system.url, { method: 'GET', path, headers })
      const exchange = { request: path, status, answer, namesForeignObject: false }
      expect(checkExchange(exchange, alpha.hidden)).not.toEqual([])
    }
    expect(foreignContentOf(alpha, alpha)).toContain(alpha.mark)
  })

  test('notices one changed member of one object', async () => {
    const before = await readTenantState(admin, 'alpha')
    await postOwn(alpha)
    await eventually(
      'the last events of alpha are projected',
      async () => (await readTenantState(admin, 'alpha'))['events']?.hash !== before['events']?.hash,
    )
  })
})

// The victim has not attacked before: its own running work would change its state.
describe.each([
  ['alpha', 'bravo', () => [alpha, bravo]],
  ['bravo', 'carol', () => [bravo, carol]],
] as const)('%s attacks %s', (_attacker, _victim, tenants) => {
  test(
    'and reads nothing, changes nothing and breaks nothing of it, on any route',
    async () => {
      const [attacker, victim] = tenants() as [SeededTenant, SeededTenant]
      const before = await readTenantState(admin, victim.pool.tenant)
      const delivered = victim.receiver.requests.length
      const { faults, answers } = await attack(attacker, victim, ALONE)
      expect(faults).toEqual([])
      expect(await readTenantState(admin, victim.pool.tenant)).toEqual(before)
      expect(victim.receiver.requests).toHaveLength(delivered)
      expect(foreignContentOf(attacker, victim)).toEqual([])
      expect(foreignContentOf(victim, attacker)).toEqual([])
      // An attack that is refused at the door would prove nothing: every route was tried, and most were got through for own things.
      const routes = (digit: string) => new Set([...answers.keys()].filter((kind) => kind.endsWith(digit)).map(routeOf))
      expect(new Set([...answers.keys()].map(routeOf))).toEqual(new Set(operations.map(({ name }) => name)))
      expect(routes('2xx').size).toBeGreaterThanOrEqual(18)
      expect(routes('4xx').size).toBeGreaterThanOrEqual(18)
    },
    TIMEOUT_MS,
  )
})

test(
  'both together are shown nothing of each other, live events and deliveries included',
  async () => {
    const outcomes = await Promise.all([attack(alpha, bravo, AT_ONCE), attack(bravo, alpha, AT_ONCE)])
    expect(outcomes.flatMap(({ faults }) => faults)).toEqual([])
    for (const tenant of [alpha, bravo]) await postOwn(tenant)
    for (const tenant of [alpha, bravo]) {
      await eventually('the last event is streamed', () => tenant.stream.text().includes(`${tenant.mark}-last`))
      expect(foreignContentOf(tenant, tenant === alpha ? bravo : alpha)).toEqual([])
    }
  },
  TIMEOUT_MS,
)

/** Posts one more event of a tenant with its mark. */
async function postOwn({ apiKey, mark }: SeededTenant): Promise<void> {
  const body = JSON.stringify({ type: 'task.created', task_id: 't', data: { title: `${mark}-last` } })
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  expect((await system.request('/v1/events', { method: 'POST', headers, body })).status).toBe(202)
}

function routeOf(kind: string): string {
  return kind.split(' ')[0] ?? ''
}
