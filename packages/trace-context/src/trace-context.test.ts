import { describe, expect, test } from '@jest/globals'
import { formatTraceparent, normalTraceparent, parseTraceparent } from './trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

describe('a traceparent', () => {
  test.each([
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-02`, false], // random, not sampled
    [`00-${TRACE}-${SPAN}-ff`, true],
    [`01-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what the future will be like`, true],
  ])('reads %s', (text, sampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, sampled })
    expect(normalTraceparent(text)).toBe(`00-${TRACE}-${SPAN}-${text.slice(53, 55)}`)
  })

  test.each([
    undefined,
    null,
    7,
    [`00-${TRACE}-${SPAN}-01`],
    '',
    'hello',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01\0`,
    `00-${TRACE}-${SPAN}-01\n`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `01-${TRACE}-${SPAN}-01.more`,
    `00-${TRACE}-${SPAN}-0g`,
    `00-${TRACE.slice(1)}\0-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01,00-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01${'-'.repeat(100_000)}\n`,
  ])('takes %j for none', (text) => {
    expect(parseTraceparent(text)).toBeUndefined()
    expect(normalTraceparent(text)).toBeUndefined()
  })
})

test('a context is read back from its header', () => {
  for (const sampled of [false, true]) {
    const context = { traceId: TRACE, spanId: SPAN, sampled }
    expect(parseTraceparent(formatTraceparent(context))).toEqual(context)
  }
})
