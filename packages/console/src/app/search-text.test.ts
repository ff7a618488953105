import { expect, test } from '@jest/globals'
import { parseSearch, stringifySearch } from './search-text.ts'

test.each(['12345678901234567890', '1.0', 'true', 'null', '"quoted"', 'a b&c=d'])('keeps the id %p', (id) => {
  const text = stringifySearch({ task_id: id, types: undefined })
  expect(parseSearch(text)).toEqual({ task_id: id })
  expect(parseSearch(`?task_id=${encodeURIComponent(id)}`)).toEqual({ task_id: id })
})

test('an address without parameters has no question mark', () => {
  expect(stringifySearch({ agent: undefined })).toBe('')
})
