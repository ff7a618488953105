import type { DocumentedOperation } from './documented-operations.ts'
import { createMutations } from './mutations.ts'
import { createPick, everythingOf, type IdKind, type Pool } from './pool.ts'
import type { RawRequest } from './send-raw.ts'

/** One request of an attack. */
export interface Attack extends RawRequest {
  readonly route: string
  /** Whether its path names an object of the other tenant. */
  readonly namesForeignObject: boolean
}

/** Who attacks whom, with what. */
export interface AttackOptions {
  readonly operations: readonly DocumentedOperation[]
  readonly random: () => number
  readonly apiKey: string
  /** Where webhooks that the attacker makes are to post to. */
  readonly receiverUrl: string
  readonly own: Pool
  readonly foreign: Pool
  /** In all content that the attacker makes. */
  readonly mark: string
  /** Filled with the bodies of all that was made: an event under the other's id is the attacker's own from then on. */
  readonly made: Set<string>
}

/** Makes the requests of an attack, one after another, the same ones for the same seed. */
export function createAttack(o: AttackOptions): () => Attack {
  const pick = createPick(o.random)
  const chance = (probability: number) => o.random() < probability
  const mutations = createMutations(o.random)
  const all = [...everythingOf(o.own), ...everythingOf(o.foreign)]

  return function nextAttack(): Attack {
    const operation = pick(o.operations)
    const { path, namesForeignObject } = pathOf(operation)
    const body = bodyOf(operation)
    return {
      route: operation.name,
      method: chance(0.97) ? operation.method : pick(['GET', 'POST', 'PATCH', 'DELETE', 'PUT']),
      path: path + queryOf(operation),
      headers: headersOf(operation),
      ...(body === undefined ? {} : { body }),
      namesForeignObject,
    }
  }

  function pathOf(operation: DocumentedOperation): { path: string; namesForeignObject: boolean } {
    let namesForeignObject = false
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const isForeign = chance(0.6)
      const pool = isForeign ? o.foreign : o.own
      const kind = kindOf(operation, name)
      const id = kind === 'tenant' ? pool.tenant : pick(pool.ids[kind])
      if (chance(0.15)) return encodeURIComponent(mutations.text(chance(0.5) ? id : pick(all)))
      namesForeignObject ||= isForeign && ![...o.made].some((body) => body.includes(id))
      return id
    })
    return { path, namesForeignObject }
  }

  function queryOf(operation: DocumentedOperation): string {
    const names = operation.queryNames.filter(() => chance(0.35))
    if (chance(0.06)) names.push(pick(['tenant', 'tenant_id', 'user', 'cursor', 'token', 'webhook_id', '__proto__']))
    if (names.length > 0 && chance(0.03)) names.push(pick(names))
    const pairs = names.map((name) => `${name}=${encodeURIComponent(valueOf(name))}`)
    return pairs.length === 0 ? '' : `?${pairs.join('&')}`
  }

  function valueOf(name: string): string {
    if (chance(0.08)) return mutations.text(pick(all))
    const ofBoth = (list: (pool: Pool) => readonly string[]) => pick(list(chance(0.6) ? o.foreign : o.own))
    switch (name) {
      case 'task_id':
        return ofBoth(({ taskIds }) => taskIds)
      case 'agent':
        return ofBoth(({ agents }) => agents)
      case 'session_id':
        return ofBoth(({ sessionIds }) => sessionIds)
      case 'cursor':
      case 'last_event_id':
        return ofBoth(({ sealed }) => sealed)
      case 'token': // The other's complete token would be its own credential, and no attack.
        return chance(0.5) ? pick(o.own.sealed) : mutations.sealed(pick(o.foreign.sealed))
      case 'tenant':
      case 'tenant_id':
        return ofBoth(({ tenant }) => [tenant])
      case 'after':
      case 'before':
        return new Date(Date.now() - Math.floor(o.random() * 3_600_000)).toISOString()
      case 'type':
      case 'types':
        return pick(['task.progress', 'task.created,task.progress', 'session.closed'])
      default:
        return pick(['1', '2', '500', 'asc', 'desc', 'true', 'false', 'delivered', 'pending'])
    }
  }

  function headersOf(operation: DocumentedOperation): Record<string, string> {
    const headers: Record<string, string> = {}
    if (chance(0.97)) headers['authorization'] = `Bearer ${o.apiKey}`
    if (chance(0.02)) headers['authorization'] = `Bearer ${mutations.sealed(pick(o.foreign.sealed))}`
    if (operation.contentType !== undefined) headers['content-type'] = operation.contentType
    if (chance(0.03)) headers['content-type'] = pick(['text/plain', 'application/json; charset=utf-16', 'a', ''])
    if (operation.path.endsWith('/stream') && chance(0.4)) {
      headers['last-event-id'] = chance(0.8) ? pick(o.foreign.sealed) : mutations.sealed(pick(o.foreign.sealed))
    }
    // Both tenants use the same few: an answer kept for one is not for the other.
    if (chance(0.1)) headers['idempotency-key'] = pick(['key-1', 'key-2', 'key-3'])
    if (chance(0.15)) {
      const name = pick(['x-tenant', 'x-tenant-id', 'ce-tenant', 'x-forwarded-user', 'x-original-url', 'cookie'])
      headers[name] = pick(everythingOf(o.foreign))
    }
    if (chance(0.05)) headers[pick(['if-none-match', 'x-request-id', 'traceparent', 'range'])] = pick(all)
    return headers
  }

  function bodyOf(operation: DocumentedOperation): Buffer | undefined {
    if (operation.examples.length === 0) return chance(0.05) ? Buffer.from('{}') : undefined
    const example = { ...pick(operation.examples) }
    if ('url' in example) Object.assign(example, { url: o.receiverUrl, description: o.mark })
    if ('name' in example) example['name'] = o.mark
    if ('data' in example) example['data'] = { ...(example['data'] as object), note: o.mark }
    if ('after' in example) example['after'] = new Date(Date.now() - 3_600_000).toISOString()
    if ('events' in example) example['events'] = ['task.*']
    for (const [name, value] of Object.entries(membersToTry())) if (chance(0.2)) example[name] = value
    const mutated = chance(0.3) ? mutations.members(example, all) : example
    if (operation.contentType !== 'application/json') {
      return Buffer.from(new URLSearchParams(mutated as Record<string, string>).toString())
    }
    const text = JSON.stringify(operation.name === 'postEvents' && chance(0.2) ? [mutated, example] : mutated)
    if (operation.name === 'postEvents') o.made.add(text)
    return Buffer.from(chance(0.05) ? mutations.text(text) : text)
  }

  /** Members that point at the other tenant, known to the route or not. */
  function membersToTry(): Readonly<Record<string, unknown>> {
    const { foreign } = o
    return {
      task_id: pick(foreign.taskIds),
      agent: pick(foreign.agents),
      session_id: pick(foreign.sessionIds),
      ...(chance(0.1) ? { tenant: foreign.tenant } : {}),
      ...(chance(0.3) ? { id: pick(foreign.ids.evt) } : {}),
      ...(chance(0.1) ? { tenant_id: foreign.tenant, webhook_id: pick(foreign.ids.whk) } : {}),
    }
  }
}

function kindOf(operation: DocumentedOperation, parameter: string): IdKind | 'tenant' {
  if (operation.path.startsWith('/v1/tenants/')) return 'tenant'
  if (parameter === 'replay') return 'rpl'
  if (operation.path.includes('/deliveries/')) return 'dlv'
  if (operation.path.includes('/redeliveries/')) return 'rdl'
  if (operation.path.includes('/api-keys/')) return 'key'
  return operation.path.includes('/webhooks/') ? 'whk' : 'evt'
}
