import { describe, expect, test } from '@jest/globals'
import { checkExchange, type Exchange } from './oracle.ts'

const HIDDEN = ['mark-of-bravo', 'evt_01m88y3fz3eeksq399rkr6wnx3']
const GOOD: Exchange = { request: 'GET /x', status: 404, answer: 'not found', namesForeignObject: true }

describe('the check of exchanges between two tenants', () => {
  test('finds nothing wrong with a refusal, and with an answer of its own', () => {
    expect(checkExchange(GOOD, HIDDEN)).toEqual([])
    expect(checkExchange({ ...GOOD, status: 200, namesForeignObject: false }, HIDDEN)).toEqual([])
  })

  test.each<readonly [string, Partial<Exchange>, string]>([
    ['a planted text', { answer: '{"data":[{"n":"mark-of-bravo"}]}' }, 'shows mark-of-bravo of the other tenant'],
    ['a planted id in a header', { answer: `location: /v1/events/${HIDDEN[1]}\n` }, `shows ${HIDDEN[1]}`],
    ['a text in capitals', { answer: 'MARK-OF-BRAVO' }, 'shows mark-of-bravo'],
    ['an object that was reached', { status: 204, answer: '' }, 'reached an object of the other tenant (204)'],
    ['a failure of the server', { status: 503 }, 'was answered 503'],
    ['no answer', { status: 0 }, 'got no answer'],
  ])('notices %s', (_what, change, fault) => {
    expect(checkExchange({ ...GOOD, ...change }, HIDDEN)).toEqual([expect.stringContaining(fault)])
  })
})
