import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { EVENT_TYPES } from '../event-type.ts'
import { RecordAttributes, type EventAttributes } from './attributes.ts'
import { matches, tenantFilter, type EventFilter, type TenantFilter } from './event-filter.ts'
import { FilterIndex } from './filter-index.ts'

/** One stream or webhook. */
interface Follower {
  readonly tenant: string
  readonly filter: EventFilter
}

interface Group {
  readonly filter: TenantFilter
  readonly followers: Set<Follower>
}

const name = fc.constantFrom('a', 'b', 'c')
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 2 })
const types = fc.subarray([...EVENT_TYPES], { minLength: 1 })
const followers: fc.Arbitrary<Follower> = fc.record({
  tenant: name,
  filter: fc.record(
    { taskId: maybe(name), sessionId: maybe(name), agent: maybe(name), types: maybe(types) },
    { requiredKeys: [] },
  ),
})
const events: fc.Arbitrary<EventAttributes> = fc.record({
  tenant: name,
  type: fc.constantFrom(...EVENT_TYPES),
  taskId: maybe(name),
  sessionId: maybe(name),
  agent: maybe(name),
})

/** What the documents say of filters, one member after the other. */
function wants({ tenant, filter }: Follower, event: EventAttributes): boolean {
  if (tenant !== event.tenant) return false
  if ((filter.taskId ?? event.taskId) !== event.taskId) return false
  if ((filter.sessionId ?? event.sessionId) !== event.sessionId) return false
  if ((filter.agent ?? event.agent) !== event.agent) return false
  return new Set(filter.types ?? [event.type]).has(event.type)
}

function createIndex(): FilterIndex<TenantFilter, Group> {
  return new FilterIndex({ newGroup: (filter) => ({ filter, followers: new Set() }) })
}

function add(index: FilterIndex<TenantFilter, Group>, follower: Follower): void {
  index.groupOf(tenantFilter(follower.tenant, follower.filter)).followers.add(follower)
}

function remove(index: FilterIndex<TenantFilter, Group>, follower: Follower): void {
  const group = index.groupOf(tenantFilter(follower.tenant, follower.filter))
  group.followers.delete(follower)
  if (group.followers.size === 0) index.remove(group)
}

describe('the filter index', () => {
  test('finds for each event exactly those whose filter wants it, each once, while they come and go', () => {
    fc.assert(
      fc.property(
        fc.array(followers, { maxLength: 30 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        fc.array(events, { minLength: 1, maxLength: 20 }),
        (all, leaving, incoming) => {
          const index = createIndex()
          for (const follower of all) add(index, follower)
          let left = all
          for (const at of leaving) {
            const follower = left[at % Math.max(1, left.length)]
            if (follower === undefined) continue
            remove(index, follower)
            left = left.filter((other) => other !== follower)
          }
          for (const event of incoming) {
            const found = index.groupsFor(event).flatMap((group) => [...group.followers])
            const expected = left.filter((follower) => wants(follower, event))
            expect(found).toHaveLength(expected.length)
            expect(new Set(found)).toEqual(new Set(expected))
            for (const { tenant, filter } of left) {
              expect(matches(tenantFilter(tenant, filter), event)).toBe(wants({ tenant, filter }, event))
            }
            expect(index.has(event.tenant)).toBe(left.some(({ tenant }) => tenant === event.tenant))
          }
          for (const follower of left) remove(index, follower)
          expect([index.size, ...incoming.filter(({ tenant }) => index.has(tenant))]).toEqual([0])
        },
      ),
    )
  })

  test('has one group for filters that want the same, in any spelling', () => {
    const index = createIndex()
    const group = index.groupOf(tenantFilter('a', { agent: 'x', types: ['task.failed', 'task.created'] }))
    const same: EventFilter = { agent: 'x', taskId: null, types: ['task.created', 'task.failed', 'task.created'] }
    expect(index.groupOf(tenantFilter('a', same))).toBe(group)
    expect(index.groupOf(tenantFilter('a', { types: [...EVENT_TYPES] }))).toBe(index.groupOf(tenantFilter('a', {})))
    expect([index.size, index.version]).toEqual([2, 2])
  })

  test('reads of a record only the headers that a filter of its tenant names', () => {
    const read: string[] = []
    const record = {
      headerText(header: string) {
        read.push(header)
        return header === 'ce_type' ? 'task.progress' : 'x'
      },
    }
    const index = createIndex()
    const find = () => {
      read.length = 0
      return index.groupsFor(new RecordAttributes(record, 'a')).length
    }
    expect([find(), ...read]).toEqual([0])
    index.groupOf(tenantFilter('a', {}))
    expect([find(), ...read]).toEqual([1])
    index.groupOf(tenantFilter('a', { taskId: 'y', agent: 'z' }))
    expect([find(), ...read]).toEqual([1, 'ce_taskid'])
    const narrow = index.groupOf(tenantFilter('a', { sessionId: 'y', types: ['task.failed'] }))
    expect([find(), ...read]).toEqual([1, 'ce_taskid', 'ce_type'])
    index.remove(narrow)
    expect([find(), ...read]).toEqual([1, 'ce_taskid'])
  })
})
