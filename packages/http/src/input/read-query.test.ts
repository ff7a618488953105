import { describe, expect, test } from '@jest/globals'
import { Problem } from '../answers/problem.ts'
import {
  booleanParam,
  choiceParam,
  cursorParam,
  identifierParam,
  instantParam,
  limitParam,
  listParam,
  readQuery,
} from './read-query.ts'

const isColour = (text: string): text is 'red' | 'blue' => text === 'red' || text === 'blue'
const spec = {
  task_id: identifierParam(),
  types: listParam({ is: isColour, shape: 'red or blue' }),
  after: instantParam(),
  limit: limitParam(),
  order: choiceParam(['asc', 'desc'], 'desc'),
  envelope: booleanParam(false),
  cursor: cursorParam(),
}

/** The problem that a query is answered with. */
function problemOf(url: string | URLSearchParams): Problem {
  try {
    readQuery(url, spec)
  } catch (error) {
    if (error instanceof Problem && error.status === 400) return error
    throw error
  }
  throw new Error('the query was taken')
}

/** Parameter and code of each fault. */
function faultsOf(url: string | URLSearchParams): readonly string[] {
  return (problemOf(url).details.errors ?? []).map(({ parameter, code }) => `${parameter} ${code}`)
}

describe('readQuery', () => {
  test('gives values, and defaults for absent parameters', () => {
    const none = { task_id: undefined, types: undefined, after: undefined, cursor: undefined }
    expect(readQuery('/x', spec)).toEqual({ ...none, limit: 50, order: 'desc', envelope: false })
    expect(readQuery('/x?types=blue,red&limit=500&order=asc&envelope=true&task_id=a%2Fb', spec)).toMatchObject({
      types: ['blue', 'red'],
      limit: 500,
      order: 'asc',
      envelope: true,
      task_id: 'a/b',
    })
  })

  test.each([
    ['?taskid=1', 'taskid unknown_parameter'],
    ['?__proto__=1', '__proto__ unknown_parameter'],
    ['?task_id=', 'task_id empty_parameter'],
    ['?task_id', 'task_id empty_parameter'],
    ['?task_id=a&task_id=a', 'task_id repeated_parameter'],
    ['?task_id=a%20b', 'task_id invalid_parameter'],
    [`?task_id=${'a'.repeat(129)}`, 'task_id invalid_parameter'],
    ['?task_id=%ff', 'task_id invalid_encoding'],
    ['?task_id=%zz', 'task_id invalid_encoding'],
    ['?limit=0', 'limit invalid_parameter'],
    ['?limit=501', 'limit invalid_parameter'],
    ['?limit=1e2', 'limit invalid_parameter'],
    ['?limit=-1', 'limit invalid_parameter'],
    ['?types=red,', 'types invalid_parameter'],
    ['?types=red,red', 'types invalid_parameter'],
    ['?types=green', 'types invalid_parameter'],
    ['?order=ASC', 'order invalid_parameter'],
    ['?after=yesterday', 'after invalid_parameter'],
    ['?envelope=1', 'envelope invalid_parameter'],
  ])('%s is refused by name', (query, fault) => {
    expect(faultsOf(`/x${query}`)).toEqual([fault])
  })

  test('names all faults in one problem', () => {
    expect(faultsOf('/x?limit=x&nope=1&order=')).toEqual([
      'nope unknown_parameter',
      'limit invalid_parameter',
      'order empty_parameter',
    ])
  })

  test('refuses more than 32 parameters unread, and names at most 10 faults, each shortened', () => {
    expect(problemOf(`?${Array.from({ length: 33 }, (_, n) => n).join('&')}`).code).toBe('too_many_parameters')
    expect(problemOf(`?${'&0%'.repeat(8000)}`).code).toBe('too_many_parameters')
    const problem = problemOf(`?${Array.from({ length: 32 }, (_, n) => `${n}${'%'.repeat(500)}`).join('&')}`)
    expect(problem.details.errors).toHaveLength(10)
    expect(problem.details.detail).toMatch(/, and 2\d more\.$/)
    expect(JSON.stringify(problem.details).length).toBeLessThan(16 * 1024)
  })

  test('reads the parameters of a form in the same way', () => {
    expect(readQuery(new URLSearchParams('limit=7'), spec).limit).toBe(7)
    expect(faultsOf(new URLSearchParams('limit=7&limit=8'))).toEqual(['limit repeated_parameter'])
  })
})
