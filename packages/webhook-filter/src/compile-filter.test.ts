import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compileFilter, validateFilter, type WebhookFilter } from './index.ts'

/** Every member of an event by its path, as the description of filters has it. */
function membersOf(event: Readonly<Record<string, unknown>>, prefix = ''): Map<string, unknown> {
  const members = new Map<string, unknown>()
  for (const [name, value] of Object.entries(event)) {
    members.set(prefix + name, value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
    for (const [path, inner] of membersOf(value as Record<string, unknown>, `${prefix}${name}.`))
      members.set(path, inner)
  }
  return members
}

/** The description of filters, word for word and slow. */
function holds(filter: object, members: Map<string, unknown>): boolean {
  return Object.entries(filter).every(([key, member]: [string, unknown]) => {
    if (key === '$and') return (member as object[]).every((one) => holds(one, members))
    if (key === '$or') return (member as object[]).some((one) => holds(one, members))
    return conditionHolds(member, members.has(key), members.get(key))
  })
}

function conditionHolds(condition: unknown, present: boolean, value: unknown): boolean {
  if (typeof condition !== 'object' || condition === null) return conditionHolds({ $eq: condition }, present, value)
  return Object.entries(condition).every(([operator, operand]: [string, unknown]) => {
    if (operator === '$exists') return operand === present
    if (operator === '$not') return !conditionHolds(operand, present, value)
    const equals = (one: unknown): boolean => present && typeof one === typeof value && one === value
    if (operator === '$eq') return equals(operand)
    if (operator === '$in') return (operand as unknown[]).some(equals)
    if (!present || typeof value !== typeof operand || !['number', 'string'].includes(typeof value)) return false
    const order = (value as number) < (operand as number) ? -1 : value === operand ? 0 : 1
    return { $gt: [1], $gte: [0, 1], $lt: [-1], $lte: [-1, 0] }[operator]?.includes(order) ?? false
  })
}

describe('a compiled filter', () => {
  const names = fc.constantFrom('a', 'b', 'c')
  const scalar = fc.oneof(
    fc.constantFrom<string | number | boolean | null>('', 'a', 'b', 0, 1, -1.5, true, false, null),
  )
  const comparable = fc.constantFrom<string | number>('', 'a', 'b', 0, 1, -1.5)
  const data = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, scalar, fc.array(scalar, { maxLength: 2 }), fc.dictionary(names, tie('value'))),
    object: fc.dictionary(names, tie('value')),
  })).object
  const key = fc.oneof(
    fc.constantFrom('type', 'agent', 'task_id', 'session_id'),
    fc.array(names, { minLength: 1, maxLength: 3 }).map((path) => `data.${path.join('.')}`),
  )
  const { filter } = fc.letrec<{ condition: unknown; filter: Record<string, unknown> }>((tie) => ({
    condition: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc
        .uniqueArray(
          fc.oneof(
            fc.tuple(fc.constant('$eq'), scalar),
            fc.tuple(fc.constant('$in'), fc.array(scalar, { minLength: 1, maxLength: 3 })),
            fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte'), comparable),
            fc.tuple(fc.constant('$exists'), fc.boolean()),
            fc.tuple(fc.constant('$not'), tie('condition')),
          ),
          { minLength: 1, maxLength: 2, selector: ([operator]) => operator },
        )
        .map((operators) => Object.fromEntries(operators)),
    ),
    filter: fc
      .tuple(
        fc.dictionary(key, tie('condition'), { maxKeys: 2 }),
        fc.oneof(
          { maxDepth: 2 },
          fc.constant({}),
          fc.record({ $or: fc.array(tie('filter'), { minLength: 1, maxLength: 2 }) }),
          fc.record({ $and: fc.array(tie('filter'), { minLength: 1, maxLength: 2 }) }),
        ),
      )
      .map(([members, list]) => ({ ...members, ...list }))
      .filter((members) => Object.keys(members).length > 0),
  }))
  const optional = fc.option(fc.constantFrom('a', 'b'), { nil: undefined })
  const event = fc.record({
    type: fc.constantFrom('a', 'b'),
    agent: optional,
    taskId: optional,
    sessionId: optional,
    data,
  })

  test('decides as the description does, for every valid filter and event', () => {
    let matched = 0
    let evaluated = 0
    fc.assert(
      fc.property(filter, event, (candidate, { type, agent, taskId, sessionId, data: payload }) => {
        fc.pre(validateFilter(candidate).length === 0)
        const given = { type, agent, task_id: taskId, session_id: sessionId, data: payload }
        const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
        const expected = holds(candidate, membersOf(present))
        const decided = compileFilter(candidate as WebhookFilter).matches(
          { type, agent, taskId, sessionId },
          { data: () => payload },
        )
        evaluated += 1
        matched += decided ? 1 : 0
        expect(decided).toBe(expected)
      }),
      { numRuns: 5000 },
    )
    expect(matched).toBeGreaterThan(20)
    expect(evaluated - matched).toBeGreaterThan(20)
  })
})
