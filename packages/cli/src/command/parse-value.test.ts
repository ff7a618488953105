import { describe, expect, test } from '@jest/globals'
import type { ValueSpec } from './command.ts'
import { newTypeId } from '@ariftly/events'
import { parseDuration, parseValue } from './parse-value.ts'

const NOW = Date.UTC(2026, 10, 28, 10)
const parse = (text: string, spec: ValueSpec) => parseValue(text, spec, '--x', NOW)

test.each([
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['250ms', 250],
  ['7d', 604_800_000],
  ['10', undefined],
  ['m', undefined],
  ['-1s', undefined],
  ['1 s', undefined],
])('%s lasts %p ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each<[string, ValueSpec, unknown]>([
  ['10m', { kind: 'time' }, '2026-11-28T09:50:00.000Z'],
  ['2026-11-27', { kind: 'time' }, '2026-11-27T00:00:00.000Z'],
  ['2026-11-27T10:00:00+01:00', { kind: 'time' }, '2026-11-27T10:00:00+01:00'],
  ['a, b', { kind: 'list' }, ['a', 'b']],
  ['7', { kind: 'integer' }, 7],
  ['0.4', { kind: 'number' }, 0.4],
  ['true', { kind: 'boolean' }, true],
  ['{"a":1}', { kind: 'json' }, { json: { a: 1 } }],
  ['evt_01h455vb4pex5vsknk084sn02q', { idPrefix: 'evt_' }, 'evt_01h455vb4pex5vsknk084sn02q'],
])('%s as %j is %j', (text, spec, value) => {
  expect(parse(text, spec)).toEqual(value)
})

test('every id that the API can make is one', () => {
  for (let each = 0; each < 1000; each += 1) {
    const id = newTypeId('dlv')
    expect(parse(id, { idPrefix: 'dlv_' })).toBe(id)
  }
})

describe('refuses, and names the option', () => {
  test.each<[string, ValueSpec]>([
    ['yesterday', { kind: 'time' }],
    ['2026-13-01', { kind: 'time' }],
    ['2026-11-28T10:00:00', { kind: 'time' }],
    ['1e400', { kind: 'number' }],
    ['', { kind: 'integer' }],
    ['1.5', { kind: 'integer' }],
    ['0', { kind: 'integer', min: 1 }],
    ['501', { kind: 'integer', max: 500 }],
    ['yes', { kind: 'boolean' }],
    ['{', { kind: 'json' }],
    ['b', { choices: ['a'] }],
    ['a,c', { kind: 'list', choices: ['a', 'b'] }],
    ['nonsense', { idPrefix: 'evt_' }],
    ['whk_01h455vb4pex5vsknk084sn02q', { idPrefix: 'evt_' }],
    ['evt_01h455vb4pex5vsknk084sn02', { idPrefix: 'evt_' }],
    ['evt_01H455VB4PEX5VSKNK084SN02Q', { idPrefix: 'evt_' }],
    ['evt_01h455vb4p4x5vsknk084sn02q', { idPrefix: 'evt_' }],
    ['..', {}],
    ['.', {}],
    ['', {}],
  ])('%j as %j', (text, spec) => {
    expect(() => parse(text, spec)).toThrow(expect.objectContaining({ name: 'CliError', pointer: '--x' }))
  })
})
