import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readPage, ROOT } from './markdown.ts'
import { bodyOf, callAt, declares, figuresOf, readTour, type Leg, type Stop } from './tour.ts'

const PAGE = readPage('docs/tour.md')
const LEGS = readTour(PAGE)

describe.each(LEGS)('the tour, $title', (leg) => {
  test('numbers its stops from 1 on', () => {
    expect(leg.stops.map(({ number }) => number)).toEqual(leg.stops.map((_, index) => index + 1))
    expect(leg.stops.length).toBeGreaterThan(3)
  })

  test.each(leg.stops)('$path declares $symbol', ({ path, symbol }) => {
    expect(existsSync(join(ROOT, path))).toBe(true)
    expect(declares(sourceOf(path), symbol)).toBe(true)
  })

  test.each(leg.stops)('stop $number, $symbol, is called by the one that it names', (stop) => {
    expect(callOf(leg, stop)).toBe('called')
  })

  test('stops with one caller are in the order of its calls', () => {
    const seen = new Map<number, number>()
    const wrong = leg.stops.filter(({ caller }) => {
      const from = caller && leg.stops[caller.stop - 1]
      const at = from === undefined ? -1 : callAt(bodyOf(sourceOf(from.path), from.symbol), caller?.name ?? '')
      if (caller === undefined || at < 0) return false
      const before = seen.get(caller.stop) ?? -1
      seen.set(caller.stop, Math.max(before, at))
      return at < before
    })
    expect(wrong).toEqual([])
  })
})

test('the table of the tour counts what the page has', () => {
  const all = LEGS.flatMap(({ stops }) => stops)
  const changes = LEGS.reduce((sum, { stops }) => sum + figuresOf(stops)[2], 0)
  const [stops, files] = figuresOf(all)
  const counted = [...LEGS.map((leg) => [leg.title, ...figuresOf(leg.stops)]), ['all', stops, files, changes]]
  const rows = [...PAGE.matchAll(/^\| (.+?) +\| +(\d+) \| +(\d+) \| +(\d+) \|$/gm)]
  expect(rows.map(([, title = '', ...figures]) => [title.trim(), ...figures.map(Number)])).toEqual(counted)
})

describe('the check of the tour', () => {
  const source = [
    'export class Way {',
    '  go(): void {',
    '    first()',
    '    this.#second()',
    '  }',
    '',
    '  #second(): void {}',
    '}',
  ].join('\n')

  test('finds declarations, bodies and calls', () => {
    expect(['Way', 'Way.go', '#second'].map((symbol) => declares(source, symbol))).toEqual([true, true, true])
    expect(['Street', 'Way.run'].map((symbol) => declares(source, symbol))).toEqual([false, false])
    expect(bodyOf(source, 'Way.go')).not.toContain('#second(): void')
    expect(callAt(bodyOf(source, 'Way.go'), 'second')).toBeGreaterThan(callAt(bodyOf(source, 'Way.go'), 'first'))
    expect(callAt(source, 'third')).toBe(-1)
  })

  test('refuses a line that is no stop', () => {
    expect(() => readTour('## A part\n\n1. [`a.ts`](../b/c.ts): `f` ← 1: text')).toThrow('a.ts links to b/c.ts')
    expect(() => readTour('## A part\n\n1. Something else')).toThrow('not a stop')
  })
})

/** `called`, or what is wrong. */
function callOf({ stops }: Leg, { number, symbol, caller, wiring }: Stop): string {
  if (caller === undefined) {
    // A class or factory is wired by its own name, a member called by its.
    const names = symbol.split('.')
    const text = sourceOf(wiring ?? '')
    return names.some((name) => new RegExp(`${name}\\b`).test(text)) ? 'called' : `not in ${wiring}`
  }
  if (caller.stop >= number) return 'called by a later stop'
  const from = stops[caller.stop - 1]
  if (from === undefined) return `there is no stop ${caller.stop}`
  return callAt(sourceOf(from.path), caller.name) >= 0 ? 'called' : `${from.path} does not call ${caller.name}`
}

function sourceOf(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
