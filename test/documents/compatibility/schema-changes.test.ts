import { describe, expect, test } from '@jest/globals'
import { findBreakingSchemaChanges, type Direction } from './schema-changes.ts'

const ITEM = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] }
const MEMBERS = {
  name: { type: 'string', maxLength: 10 },
  size: { type: 'integer', minimum: 0 },
  state: { type: 'string', enum: ['a', 'b'] },
  kind: { type: 'string', 'x-extensible-enum': ['x'] },
  list: { type: 'array', items: ITEM },
}
const BEFORE = { type: 'object', description: 'a sample', properties: MEMBERS, required: ['name'] }

const withMember = (name: string, schema: unknown) => ({ ...BEFORE, properties: { ...MEMBERS, [name]: schema } })
const { size: _size, ...WITHOUT_SIZE } = MEMBERS

interface Case {
  readonly change: string
  readonly after: unknown
  /** Where it breaks, by who uses the value; absent: it breaks none. */
  readonly breaks: Readonly<Partial<Record<Direction, string>>>
}

const both = (at: string) => ({ sent: at, read: at, both: at })

const CASES: readonly Case[] = [
  { change: 'nothing', after: BEFORE, breaks: {} },
  { change: 'other words', after: { ...BEFORE, description: 'other words', title: 'A title' }, breaks: {} },
  { change: 'a new optional member', after: withMember('extra', { type: 'string' }), breaks: {} },
  {
    change: 'a member gone',
    after: { ...BEFORE, properties: WITHOUT_SIZE },
    breaks: both('/properties/size: is gone'),
  },
  {
    change: 'a member of another type',
    after: withMember('size', { type: 'string', minimum: 0 }),
    breaks: {
      sent: '/properties/size/type: the type "integer" is gone',
      read: '/properties/size/type: the type "string" is new',
      both: '/properties/size/type',
    },
  },
  {
    change: 'null in addition',
    after: withMember('name', { type: ['string', 'null'], maxLength: 10 }),
    breaks: { read: '/properties/name/type: the type "null" is new', both: '/properties/name/type' },
  },
  {
    change: 'a member required',
    after: { ...BEFORE, required: ['name', 'size'] },
    breaks: { sent: '/required: size must be sent now', both: '/required: size' },
  },
  {
    change: 'a member not required any more',
    after: { ...BEFORE, required: [] },
    breaks: { read: '/required: name may be absent now', both: '/required: name' },
  },
  {
    change: 'a new word',
    after: withMember('state', { type: 'string', enum: ['a', 'b', 'c'] }),
    breaks: { read: '/properties/state/enum: the value "c" is new', both: '/properties/state/enum' },
  },
  {
    change: 'a new word of a set that may grow',
    after: withMember('kind', { type: 'string', 'x-extensible-enum': ['x', 'y'] }),
    breaks: {},
  },
  {
    change: 'a word gone',
    after: withMember('state', { type: 'string', enum: ['a'] }),
    breaks: { sent: '/properties/state/enum: the value "b" is gone', both: '/properties/state/enum' },
  },
  {
    change: 'a tighter bound',
    after: withMember('name', { type: 'string', maxLength: 5 }),
    breaks: { sent: '/properties/name/maxLength: changed', both: '/properties/name/maxLength' },
  },
  {
    change: 'a looser bound',
    after: withMember('size', { type: 'integer' }),
    breaks: { read: '/properties/size/minimum: changed', both: '/properties/size/minimum' },
  },
  {
    change: 'a pattern',
    after: withMember('name', { type: 'string', maxLength: 10, pattern: '^a' }),
    breaks: { sent: '/properties/name/pattern: changed', both: '/properties/name/pattern' },
  },
  {
    change: 'closed',
    after: { ...BEFORE, additionalProperties: false },
    breaks: both('/additionalProperties: changed'),
  },
  {
    change: 'a member of an item gone',
    after: withMember('list', { type: 'array', items: { ...ITEM, properties: {} } }),
    breaks: both('/properties/list/items/properties/id: is gone'),
  },
]

describe.each(['sent', 'read', 'both'] as const)('a change of a schema whose values are %s', (direction) => {
  test.each(CASES)('$change', ({ after, breaks }) => {
    const found = findBreakingSchemaChanges(BEFORE, after, direction)
    const expected = breaks[direction]
    if (expected === undefined) expect(found).toEqual([])
    else expect(found.join('\n')).toContain(expected)
  })
})

const document = (definitions: object) => ({ $defs: { Item: ITEM, ...definitions } })

describe('a document of definitions', () => {
  test('may gain one, and each is compared', () => {
    expect(findBreakingSchemaChanges(document({}), document({ Other: ITEM }))).toEqual([])
    expect(findBreakingSchemaChanges(document({ Other: ITEM }), document({}))).toEqual(['/$defs/Other: is gone'])
    const [fault] = findBreakingSchemaChanges(document({}), { $defs: { Item: { ...ITEM, properties: {} } } })
    expect(fault).toBe('/$defs/Item/properties/id: is gone')
  })
})
