import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { JsonScanner } from './json-scanner.ts'
import { MalformedJson } from './json-tokens.ts'

const scanner = new JsonScanner()

/** Whether the whole text is one JSON value, as the scanner sees it. */
function accepts(text: string): boolean {
  const bytes = Buffer.from(text)
  scanner.reset(bytes, 0, bytes.length)
  try {
    scanner.skipSpace()
    scanner.scanValue(1)
    return scanner.skipSpace() === -1
  } catch (error) {
    if (error instanceof MalformedJson) return false
    throw error
  }
}

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('the scanner accepts exactly what JSON.parse accepts', () => {
  test('for values written with any white space', () => {
    fc.assert(
      fc.property(fc.jsonValue({ depthSize: 'large' }), fc.integer({ min: 0, max: 3 }), (value, indent) => {
        expect(accepts(JSON.stringify(value, null, indent))).toBe(true)
      }),
    )
  })

  test('for values with one character changed, removed or doubled', () => {
    const character = fc.constantFrom(...Array.from('{}[],:"\\0123456789.-+eEtrufalsn \t\n\r\u0001u'))
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        character,
        fc.constantFrom('change', 'remove', 'insert'),
        (json, place, char, how) => {
          const at = place % (json.length + 1)
          const rest = json.slice(how === 'insert' ? at : at + 1)
          const text = json.slice(0, at) + (how === 'remove' ? '' : char) + rest
          expect(accepts(text)).toBe(parses(text))
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('for random text of JSON characters', () => {
    const text = fc.string({ unit: fc.constantFrom(...Array.from('{}[],:"\\01e.-+ tnu')), maxLength: 12 })
    fc.assert(
      fc.property(text, (candidate) => expect(accepts(candidate)).toBe(parses(candidate))),
      { numRuns: 5000 },
    )
  })

  test.each(['-0', '1.0', '1e400', '9223372036854775808', '-1.5E-10', '"\\u0041\\/"', ' [ ] ', '{"a":{}}', 'null'])(
    '%s',
    (text) => {
      expect(accepts(text)).toBe(true)
    },
  )

  test.each([
    '01',
    '1.',
    '.5',
    '+1',
    '-',
    '1e',
    'NaN',
    "'a'",
    '"\\x"',
    '"\\u00g0"',
    '"a\nb"',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    '{"a" 1}',
    '[1 2]',
    'nul',
    'truex',
    '\ufeff1',
    '',
    '{"a":1}}',
    '"',
  ])('not %j', (text) => {
    expect(accepts(text)).toBe(false)
  })
})

test('five million open brackets are an error, not the end of the process', () => {
  expect(accepts('['.repeat(5_000_000))).toBe(false)
  expect(accepts('['.repeat(1_000_000) + ']'.repeat(1_000_000))).toBe(true)
  expect(scanner.depthMax).toBe(1_000_000)
})

describe('strings that Postgres cannot hold are found', () => {
  test.each([
    ['"a\\u0000"', 0],
    ['["ok","\\ud800"]', 6],
    ['["ok","\\udc00\\ud800"]', 6],
    ['["\\ud83d\\ude00","\\ud83d"]', 16],
    ['{"\\uD83Dx":1}', 1],
    ['"\\ud83d\\u0041"', 0],
  ])('%s', (text, at) => {
    expect(accepts(text)).toBe(true)
    expect(scanner.badStringAt).toBe(at)
  })

  test.each(['"\\ud83d\\ude00"', '"\\\\u0000"', '"\\u0001"', '"\u{1f600}"'])('and %s is none', (text) => {
    expect(accepts(text)).toBe(true)
    expect(scanner.badStringAt).toBe(-1)
  })
})
