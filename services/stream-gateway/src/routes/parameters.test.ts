import { expect, test } from '@jest/globals'
import { queryToken } from './parameters.ts'

test.each([
  ['/v1/events/stream', undefined],
  ['/v1/events/stream?task_id=a', undefined],
  ['/v1/events/stream?token=st_a', 'st_a'],
  ['/v1/events/stream?task_id=a&token=st_%61&token=b', 'st_a'],
  ['/v1/events/stream?xtoken=a&tokens=b&token', undefined],
  ['/v1/events/stream?token=', ''],
  ['/v1/events/stream?token=%ff', ''],
])('the token of %s is %s', (url, token) => {
  expect(queryToken(url)).toBe(token)
})
