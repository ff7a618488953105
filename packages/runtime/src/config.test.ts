import { describe, expect, test } from '@jest/globals'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bool, cidrs, csv, hostPorts, int, intCsv, oneOf, port, str, url } from './config-items.ts'
import { ConfigFault, describeConfig, readConfig, type ConfigSpec } from './config.ts'
import { settings } from './settings.ts'

const spec = {
  NAME: str({ doc: 'A name.' }),
  WORD: str({ doc: 'Lower case.', default: 'abc', pattern: /^[a-z]+$/, patternDoc: 'lower-case letters' }),
  COUNT: int({ doc: 'A count.', default: 5, min: 1, max: 10 }),
  FLAG: bool({ doc: 'A flag.', default: false }),
  ITEMS: csv({ doc: 'Items.', minItems: 1 }),
  DELAYS: intCsv({ doc: 'Delays.', optional: true }),
  DATABASE: url({ doc: 'A database.', secret: true, protocols: ['postgres:'] }),
  PORT: port({ doc: 'A port.', optional: true }),
  LEVEL: oneOf({ doc: 'A level.', words: ['low', 'high'], default: 'low' }),
}
const good = { NAME: 'x', ITEMS: 'a, b,,c', DATABASE: 'postgres://u:p@h/d' }

function faultsOf(of: ConfigSpec, env: NodeJS.ProcessEnv): readonly string[] {
  try {
    readConfig(of, env)
  } catch (error) {
    if (error instanceof ConfigFault) return error.faults
    throw error
  }
  return []
}

describe('readConfig', () => {
  test('reads the given values and fills in defaults', () => {
    expect(readConfig(spec, { ...good, DELAYS: '1,2', FLAG: 'true', PORT: '0', LEVEL: 'high' })).toEqual({
      NAME: 'x',
      WORD: 'abc',
      COUNT: 5,
      FLAG: true,
      ITEMS: ['a', 'b', 'c'],
      DELAYS: [1, 2],
      DATABASE: 'postgres://u:p@h/d',
      PORT: 0,
      LEVEL: 'high',
    })
  })

  test.each(['10.0.0.0/8', 'fd00::/8,192.168.1.0/24', ''])('takes the address ranges "%s"', (text) => {
    expect(faultsOf({ RANGES: cidrs({ doc: 'Ranges.', default: '' }) }, { RANGES: text })).toEqual([])
  })

  test.each(['10/8', '10.0.0.0', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/8/8', 'a/8'])('refuses "%s"', (text) => {
    expect(faultsOf({ RANGES: cidrs({ doc: 'Ranges.', default: '' }) }, { RANGES: text })).toHaveLength(1)
  })

  test.each([
    ['kafka-1:9092', 0],
    ['127.0.0.1:9092, [fd00::1]:9093', 0],
    ['::', 1],
    ['kafka', 1],
    ['kafka:0', 1],
    ['kafka:65536', 1],
    ['kafka:9092,http://other:9092', 1],
    [',', 1],
  ])('addresses with ports are checked: %s', (text, faults) => {
    expect(faultsOf({ BROKERS: hostPorts({ doc: 'Brokers.' }) }, { BROKERS: text })).toHaveLength(faults)
  })

  test('takes an empty variable for an absent one', () => {
    const config = readConfig(spec, { ...good, COUNT: '', DELAYS: '', PORT: '' })
    expect([config.COUNT, config.DELAYS, config.PORT]).toEqual([5, undefined, undefined])
    expect(faultsOf(spec, { ...good, NAME: '' })).toHaveLength(1)
  })

  test('lists all faults, by name', () => {
    const faults = faultsOf(spec, {
      WORD: 'ABC',
      COUNT: '11',
      FLAG: 'yes',
      ITEMS: ' , ',
      DELAYS: '1,x',
      DATABASE: 'mysql://h/d',
      PORT: '65536',
      LEVEL: 'middle',
    })
    const names = ['NAME', 'WORD', 'COUNT', 'FLAG', 'ITEMS', 'DELAYS', 'DATABASE', 'PORT', 'LEVEL']
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(names)
  })

  test.each(['1.5', '0x5', '1e1', ' 5', 'five', '-1', '99999999999999999999'])(
    'refuses %p as a whole number',
    (text) => {
      expect(faultsOf(spec, { ...good, COUNT: text })).toEqual(['COUNT must be a whole number from 1 to 10'])
    },
  )

  test('never shows the text of a secret in a fault', () => {
    expect(faultsOf(spec, { ...good, DATABASE: 'hunter2' }).join()).not.toContain('hunter2')
  })
})

describe('NAME_FILE', () => {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  const path = join(folder, 'database')
  writeFileSync(path, 'postgres://file/d\n')
  const withoutDatabase = { NAME: 'x', ITEMS: 'a' }

  test('gives a secret from the file, without its last line end', () => {
    expect(readConfig(spec, { ...withoutDatabase, DATABASE_FILE: path }).DATABASE).toBe('postgres://file/d')
  })

  test('is refused together with NAME itself, and when the file cannot be read', () => {
    expect(faultsOf(spec, { ...good, DATABASE_FILE: path })).toHaveLength(1)
    expect(faultsOf(spec, { ...withoutDatabase, DATABASE_FILE: join(folder, 'absent') })[0]).toContain('DATABASE_FILE')
  })

  test('counts for secrets only', () => {
    expect(faultsOf(spec, { ITEMS: 'a', DATABASE: good.DATABASE, NAME_FILE: path })[0]).toContain('NAME is missing')
  })
})

describe('describeConfig', () => {
  test('prints a row for each setting with its default', () => {
    const rows = describeConfig(spec).trimEnd().split('\n')
    expect(rows).toHaveLength(2 + Object.keys(spec).length)
    expect(rows).toContain('| `COUNT` | integer 1 to 10 | `5` | A count. |')
    expect(rows).toContain('| `DATABASE` (or `DATABASE_FILE`) | URL (postgres:) | **required** | A database. |')
    expect(rows).toContain('| `PORT` | port | none | A port. |')
  })
})

test('every default of the system can be read', () => {
  const withDefault = Object.fromEntries(
    Object.entries<ConfigSpec[string]>(settings).filter(([, item]) => item.defaultText !== undefined || item.optional),
  )
  expect(faultsOf(withDefault, {})).toEqual([])
  expect(Object.keys(withDefault).length).toBeGreaterThan(15)
})
