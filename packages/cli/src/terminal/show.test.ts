import { describe, expect, test } from '@jest/globals'
import { createPaint, hasColors } from './paint.ts'
import { escapeJson, escapeText, show } from './show.ts'

const HOSTILE = [
  '\u001b[2J\u001b]0;owned\u0007',
  '\u009b31m',
  '\r\nline\tend\u007f',
  '\u202egnp.exe\u2066x\u2069\u200f\u061c',
  '\u200b\u2060\ufeff\u00ad\u2028\u2029',
  'a\ud800b',
  '\u{e0041}\u{1d173}',
]

describe('escapeText', () => {
  test.each(HOSTILE)('leaves nothing that drives or deceives a terminal (%j)', (text) => {
    expect(escapeText(text)).toMatch(/^[\x20-\x7e]+$/)
  })

  test('keeps what may be seen', () => {
    const text = 'Grüße, 東京, שלום, 🙂, a\u0301'
    expect(escapeText(text)).toBe(text)
  })

  test('escapes values in a line, but not what was escaped before', () => {
    const { bold } = createPaint(true)
    expect(show`id ${bold('\u001b[2J')} ${'\n'}`.text).toBe('id \u001b[1m\\x1b[2J\u001b[22m \\n')
  })
})

describe('escapeJson', () => {
  test.each(HOSTILE)('keeps the value (%j)', (text) => {
    const json = JSON.stringify({ text })
    expect(JSON.parse(escapeJson(json))).toEqual({ text })
    expect(escapeJson(json)).toMatch(/^[\x20-\x7e]+$/)
  })
})

test.each([
  [true, {}, true],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [false, {}, false],
  [false, { CLICOLOR_FORCE: '1' }, true],
  [false, { CLICOLOR_FORCE: '1', NO_COLOR: '1' }, false],
])('a terminal (%p) with %j has colours: %p', (isTty, env, expected) => {
  expect(hasColors(isTty, env)).toBe(expected)
})
