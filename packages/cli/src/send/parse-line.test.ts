import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseLine, rawMember } from './parse-line.ts'

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

test('keeps the data of an event byte for byte', () => {
  const data = '{"n":1.0,"big":12345678901234567890,"s":"\\u0041\\"}"}'
  const parsed = parseLine(`{"type":"task.progress", "data" : ${data} ,"task_id":"t"}`)
  expect(parsed).toMatchObject({ type: 'event', hasOwnId: false, event: { data, task_id: 't' } })
  expect(parseLine(`{"d\\u0061ta":${data}}`)).toMatchObject({ event: { data } })
})

test('refuses what is no event', () => {
  expect(parseLine('{')).toMatchObject({ type: 'refused', code: 'malformed_json' })
  expect(parseLine('[1]')).toMatchObject({ type: 'refused', code: 'invalid_type' })
  expect(parseLine('{"created_at":"today"}')).toMatchObject({ type: 'refused', pointer: '/created_at' })
})
