import { describe, expect, test } from '@jest/globals'
import type { EventTypeDescription } from '@ariftly/sdk'
import { buildEvents, type Overrides } from './build-events.ts'
import { nearestOf } from '@ariftly/events/nearest-of'

const CATALOGUE = [
  {
    type: 'task.progress',
    schema: { type: 'object', properties: { message: { type: 'string' }, progress: { type: 'number' } } },
    example: { message: 'm', progress: 0.3 },
  },
  {
    type: 'task.failed',
    schema: {
      type: 'object',
      properties: {
        error: { type: 'object', properties: { message: { type: 'string' }, code: { type: 'string' } } },
        detail: {},
      },
    },
    example: { error: { message: 'e', code: 'c' } },
  },
  { type: 'session.closed', schema: { properties: { reason: { type: 'string' } } }, example: { reason: 'r' } },
] as unknown as readonly EventTypeDescription[]

const NONE: Overrides = {
  sets: [],
  data: undefined,
  task: undefined,
  session: undefined,
  agent: undefined,
  allowUnknown: false,
  newId: (prefix) => `${prefix}_new`,
}
const build = (types: readonly string[], over: Partial<Overrides> = {}) =>
  buildEvents(types, CATALOGUE, { ...NONE, ...over })

describe('buildEvents', () => {
  test('sends the example under a new task, or a new session', () => {
    expect(build(['task.progress'])).toEqual([
      { type: 'task.progress', task_id: 'task_new', agent: 'ariftly-cli', data: { message: 'm', progress: 0.3 } },
    ])
    expect(build(['session.closed'])).toEqual([
      { type: 'session.closed', session_id: 'session_new', agent: 'ariftly-cli', data: { reason: 'r' } },
    ])
  })

  test('merges deeply, later over earlier, and reads JSON where it is JSON', () => {
    const [event] = build(['task.failed'], {
      data: { error: { code: 'd' } },
      sets: ['data.error.message=no luck', 'data.detail.a.b=[1]', 'agent=me', 'task_id=t_9'],
    })
    expect(event).toEqual({
      type: 'task.failed',
      task_id: 't_9',
      agent: 'me',
      data: { error: { message: 'no luck', code: 'd' }, detail: { a: { b: [1] } } },
    })
  })

  test('in a scenario an override goes to the events that have the member', () => {
    const events = build(['task.progress', 'task.failed'], {
      sets: ['data.progress=1'],
      data: { error: { code: 'd' } },
    })
    expect(events.map(({ data }) => data)).toEqual([
      { message: 'm', progress: 1 },
      { error: { message: 'e', code: 'd' } },
    ])
  })

  test.each([
    [['task.progress'], ['data.progess=1'], 'data.progress'],
    [['task.progress', 'task.failed'], ['data.progess=1'], 'data.progress'],
    [['task.failed'], ['data.error.mesage=1'], 'data.error.message'],
    [['task.progress'], ['taks_id=1'], 'task_id'],
    [['task.progess'], [], 'task.progress'],
  ])('%j with --set %j names %s', (types, sets, nearest) => {
    expect(() => build(types, { sets })).toThrow(`Did you mean ${nearest}?`)
  })

  test.each(['nope=1', 'data=1', 'data.=1', 'progress', '=1', 'data.message.x=1', 'data.toString=1'])(
    'refuses --set %s',
    (set) => {
      expect(() => build(['task.progress'], { sets: [set] })).toThrow(/sets no member|has no member/)
    },
  )

  test('checks --data as deep as the catalogue goes, unless unknown members were asked for', () => {
    const data = { error: { extra: 1 } }
    expect(() => build(['task.failed'], { data })).toThrow('data.error.extra')
    expect(build(['task.failed'], { data, allowUnknown: true })[0]?.data).toEqual({
      error: { message: 'e', code: 'c', extra: 1 },
    })
    expect(() => build(['task.failed'], { data: [] })).toThrow('--data must be a JSON object')
  })

  test('a member called __proto__ stays a member', () => {
    const data = JSON.parse('{"__proto__":{"polluted":true}}') as unknown
    expect(() => build(['task.progress'], { data })).toThrow('data.__proto__')
    const [event] = build(['task.progress'], { data, allowUnknown: true })
    expect(JSON.stringify(event?.data)).toContain('"__proto__":{"polluted":true}')
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
})

test.each([
  ['progess', 'progress'],
  ['mesasge', 'message'],
  ['zzz', undefined],
])('the nearest of %s is %s', (word, nearest) => {
  expect(nearestOf(word, ['message', 'progress'])).toBe(nearest)
})
