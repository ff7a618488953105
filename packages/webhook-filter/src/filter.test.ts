import { describe, expect, test } from '@jest/globals'
import type { FilteredEvent } from './compile-filter.ts'
import { compileFilter, FILTER_LIMITS, validateFilter, type WebhookFilter } from './index.ts'

function faults(filter: unknown): string[] {
  return validateFilter(filter).map(({ pointer, code }) => `${pointer} ${code}`)
}

function matches(filter: unknown, event: Partial<FilteredEvent> & { data?: unknown } = {}): boolean {
  expect(faults(filter)).toEqual([])
  const { data = {}, ...attributes } = event
  return compileFilter(filter as WebhookFilter).matches({ type: 'task.progress', ...attributes }, { data: () => data })
}

describe('a filter', () => {
  test.each([
    [{ type: 'task.progress' }, true],
    [{ type: { $in: ['task.complete', 'task.failed'] } }, false],
    [{ agent: 'a', task_id: 't', session_id: 's' }, true],
    [{ agent: { $gte: 'A' } }, true],
    [{ 'data.progress': { $gte: 0.5 } }, true],
    [{ 'data.progress': { $gt: 0.5 } }, false],
    [{ 'data.progress': { $gt: 0.4, $lt: 0.6 } }, true],
    [{ 'data.progress': { $lte: 0.4 } }, false],
    [{ 'data.progress': '0.5' }, false],
    [{ 'data.progress': { $gt: '' } }, false],
    [{ 'data.deep.er.yes': true }, true],
    [{ 'data.deep.er.yes': { $in: [1, 'true', null] } }, false],
    [{ 'data.none': null }, true],
    [{ 'data.none': { $exists: true } }, true],
    [{ 'data.absent': null }, false],
    [{ 'data.absent': { $exists: false } }, true],
    [{ 'data.absent': { $not: { $eq: 1 } } }, true],
    [{ 'data.absent': { $not: { $exists: false } } }, false],
    [{ 'data.list': { $exists: true } }, true],
    [{ 'data.list': { $in: [1, 2] } }, false],
    [{ 'data.list.0': { $exists: true } }, false],
    [{ 'data.list.length': { $exists: true } }, false],
    [{ 'data.deep': { $not: { $eq: 1 } } }, true],
    [{ 'data.toString': { $exists: true } }, false],
    [{ 'data.__proto__': { $exists: true } }, false],
    [{ 'data.progress': { $not: 0.5 } }, false],
    [{ 'data.zero': -0 }, true],
    [{ $or: [{ agent: 'b' }, { 'data.progress': 0.5 }] }, true],
    [{ $and: [{ agent: 'a' }, { 'data.progress': 1 }] }, false],
    [{ agent: 'a', $or: [{ $and: [{ type: 'x' }] }, { session_id: 's' }] }, true],
  ])('%j: %p', (filter, expected) => {
    const data = { progress: 0.5, zero: 0, none: null, list: [1, 2], deep: { er: { yes: true } } }
    expect(matches(filter, { agent: 'a', taskId: 't', sessionId: 's', data })).toBe(expected)
  })

  test('does not take an absent agent for null', () => {
    expect(matches({ agent: null })).toBe(false)
    expect(matches({ agent: { $exists: false } })).toBe(true)
    expect(matches({ agent: { $not: { $eq: null } } })).toBe(true)
    expect(matches({ agent: { $exists: false } }, { agent: null })).toBe(true)
  })

  test('compares numbers as doubles and strings by code unit', () => {
    expect(matches({ 'data.n': 9007199254740991 }, { data: JSON.parse('{"n":9007199254740991.0}') })).toBe(true)
    expect(matches({ 'data.n': { $gt: 9007199254740991 } }, { data: JSON.parse('{"n":1e400}') })).toBe(true)
    // U+FF61 is above the surrogates of U+1F600 as a code unit, and below it as a code point.
    expect(matches({ 'data.s': { $gt: '\u{1f600}' } }, { data: { s: '\uff61' } })).toBe(true)
  })

  test('reads the payload only if the filter uses it, and once', () => {
    let reads = 0
    const data = (): unknown => ({ a: 1, reads: ++reads })
    const shallow = compileFilter({ $or: [{ agent: 'a' }, { type: 'x' }] })
    const deep = compileFilter({ $and: [{ 'data.a': 1 }, { $or: [{ 'data.b': 1 }, { 'data.a': 1 }] }] })
    expect([shallow.needsData, deep.needsData]).toEqual([false, true])
    shallow.matches({ type: 'x' }, { data })
    expect(reads).toBe(0)
    expect(deep.matches({ type: 'x' }, { data })).toBe(true)
    expect(reads).toBe(1)
  })
})

describe('validation', () => {
  const nested = (levels: number): unknown => (levels === 1 ? { agent: 'a' } : { $and: [nested(levels - 1)] })

  test.each([
    [null, ' invalid_type'],
    [[], ' invalid_type'],
    ['a', ' invalid_type'],
    [{}, ' out_of_range'],
    [{ $and: [] }, '/$and out_of_range'],
    [{ $or: {} }, '/$or invalid_type'],
    [{ $or: [{}] }, '/$or/0 out_of_range'],
    [{ $not: { agent: 'a' } }, '/$not unknown_member'],
    [{ $eq: 1 }, '/$eq unknown_member'],
    [{ id: 'evt_1' }, '/id unknown_member'],
    [{ data: 1 }, '/data unknown_member'],
    [{ 'data.': 1 }, '/data. unknown_member'],
    [{ 'data.a..b': 1 }, '/data.a..b unknown_member'],
    [{ 'a/b~': 1 }, '/a~1b~0 unknown_member'],
    [{ agent: {} }, '/agent out_of_range'],
    [{ agent: [] }, '/agent invalid_type'],
    [{ agent: { a: 1 } }, '/agent/a unknown_member'],
    [{ agent: { $and: [{ agent: 1 }] } }, '/agent/$and unknown_member'],
    [{ agent: { $eq: { a: 1 } } }, '/agent/$eq invalid_type'],
    [{ agent: { $in: 'a' } }, '/agent/$in invalid_type'],
    [{ agent: { $in: [] } }, '/agent/$in out_of_range'],
    [{ agent: { $in: [[1]] } }, '/agent/$in/0 invalid_type'],
    [{ agent: { $gt: null } }, '/agent/$gt invalid_type'],
    [{ agent: { $lte: true } }, '/agent/$lte invalid_type'],
    [{ agent: { $exists: 1 } }, '/agent/$exists invalid_type'],
    [{ agent: { $not: {} } }, '/agent/$not out_of_range'],
    [{ agent: { $not: [] } }, '/agent/$not invalid_type'],
  ])('of %j refuses %s', (filter, fault) => {
    expect(faults(filter)).toEqual([fault])
  })

  test.each(['9007199254740992', '-9007199254740993', '9007199254740992.0', '9.007199254740992e15', '1e400'])(
    'refuses the integer %s, however it is written',
    (text) => {
      const place = (filter: string): string[] => faults(JSON.parse(filter.replace('N', text)))
      expect(place('{"data.n":N}')).toEqual(['/data.n out_of_range'])
      expect(place('{"data.n":{"$in":[1,N]}}')).toEqual(['/data.n/$in/1 out_of_range'])
      expect(place('{"data.n":{"$lt":N}}')).toEqual(['/data.n/$lt out_of_range'])
    },
  )

  test('accepts a filter at every limit, and refuses one above it', () => {
    const operators = (count: number): string[] =>
      faults({ $or: Array.from({ length: count - 1 }, () => ({ agent: 'a' })) })
    expect([operators(FILTER_LIMITS.operatorsMax), operators(FILTER_LIMITS.operatorsMax + 1)]).toEqual([
      [],
      [' too_long'],
    ])
    expect(faults(nested(5))).toEqual([])
    expect(faults(nested(6))).toEqual(['/$and/0/$and/0/$and/0/$and/0/$and/0 out_of_range'])
    expect(faults({ agent: { $not: { $not: { $not: { $eq: 'a' } } } } })).toEqual([])
    expect(faults({ agent: { $not: { $not: { $not: { $not: { $eq: 'a' } } } } } })).toEqual([
      '/agent/$not/$not/$not/$not out_of_range',
    ])
    const long = (text: string): string[] => faults({ agent: text })
    expect(long('a'.repeat(4096 - '{"agent":""}'.length))).toEqual([])
    expect(long('a'.repeat(4096))).toEqual([' too_long'])
    expect(long('ä'.repeat(2048))).toEqual([' too_long'])
    const values = (count: number): string[] => faults({ agent: { $in: Array.from({ length: count }, (_, n) => n) } })
    expect([values(100), values(101)]).toEqual([[], ['/agent/$in too_long']])
  })

  test('names at most ten faults', () => {
    expect(faults(Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`m${index}`, 1])))).toHaveLength(10)
  })
})
