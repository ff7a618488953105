import { describe, expect, test } from '@jest/globals'
import { EVENT_TYPES } from '../event-type.ts'
import { filterOf, shownFilter } from './event-filter.ts'
import { expandTypes } from './expand-types.ts'

describe('a filter by the names of the API', () => {
  test('keeps what is given, null too, and is shown whole', () => {
    expect(filterOf({})).toEqual({})
    const given = { task_id: 't', session_id: null, agent: undefined, types: ['task.failed'] }
    expect(filterOf(given)).toEqual({ taskId: 't', sessionId: null, types: ['task.failed'] })
    expect(shownFilter({ agent: 'a' })).toEqual({ task_id: null, session_id: null, agent: 'a' })
  })
})

describe('expandTypes', () => {
  test('gives the exact types in the order of the specification, and unknown words none', () => {
    expect(expandTypes(['task.failed', 'approval.*', 'approval.resolved'])).toEqual(
      EVENT_TYPES.filter((type) => type === 'task.failed' || type.startsWith('approval.')),
    )
    expect(expandTypes(['task', 'task.', '.*', 'nothing.*'])).toEqual([])
  })

  test('gives null for all types', () => {
    expect([expandTypes(['*']), expandTypes(EVENT_TYPES), expandTypes(['task.*', '*'])]).toEqual([null, null, null])
  })
})
