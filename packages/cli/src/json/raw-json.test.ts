import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { rawEntries, rawMember } from './raw-json.ts'

test('finds the text of the last member of a name, with any text around it', () => {
  const members = fc.array(fc.tuple(fc.constantFrom('a', 'data', 'da"ta', '\\'), fc.jsonValue()), { minLength: 1 })
  const space = fc.constantFrom('', ' ', '\t')
  fc.assert(
    fc.property(members, space, (list, gap) => {
      const texts = list.map(
        ([name, value]) => `${gap}${JSON.stringify(name)}${gap}:${gap}${JSON.stringify(value)}${gap}`,
      )
      const wanted = list.findLast(([name]) => name === 'data')?.[1]
      const raw = rawMember(`{${texts.join(',')}}`, 'data')
      expect(raw).toBe(wanted === undefined ? undefined : JSON.stringify(wanted))
    }),
  )
})

test('gives members and elements in their order, with any white space around them', () => {
  const name = fc.constantFrom('a', '1', '', 'da"ta', '\\', '__proto__', '{[,')
  const space = fc.constantFrom('', ' ', '\n', '\t\r')
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.jsonValue())), space, (members, gap) => {
      const texts = members.map(([, value]) => JSON.stringify(value))
      const join = (parts: readonly string[]) => parts.map((part) => `${gap}${part}${gap}`).join(',')
      const named = members.map(([key], at) => `${JSON.stringify(key)}${gap}:${gap}${texts[at]}`)
      expect(rawEntries(`${gap}[${join(texts)}]`)).toEqual(texts.map((text, at) => [String(at), text]))
      expect(rawEntries(`${gap}{${join(named)}}`)).toEqual(members.map(([key], at) => [key, texts[at]]))
    }),
  )
})

test.each(['[]', '{}', '[ \n]', '{ }'])('%j has none', (text) => {
  expect(rawEntries(text)).toEqual([])
})
