import { expect, test } from '@jest/globals'
import { WokenWebhooks, type WokenSet } from './woken-webhooks.ts'

function takeSome(woken: WokenWebhooks): WokenSet {
  const set = woken.take(10)
  if (set === undefined) throw new Error('nothing waits')
  return set
}

test('gives webhooks in the order in which they were woken, each once, and a bounded number', () => {
  const woken = new WokenWebhooks()
  for (const id of ['a', 'b', 'a', 'c']) woken.add(id)
  expect(woken.take(2)?.ids).toEqual(['a', 'b'])
  expect([woken.has('a'), woken.has('c'), woken.isEmpty]).toEqual([false, true, false])
  expect(woken.take(2)?.ids).toEqual(['c'])
  expect([woken.isEmpty, woken.take(2)]).toEqual([true, undefined])
})

test('webhooks of a tenant are given out once at a time: webhooks that are woken meanwhile come next', () => {
  const woken = new WokenWebhooks()
  for (const id of ['loud-1', 'loud-2']) woken.learn(id, { tenant: 'loud', isBehind: false })
  woken.learn('calm-1', { tenant: 'calm', isBehind: false })
  woken.add('loud-1')
  const first = takeSome(woken)
  for (const id of ['loud-1', 'loud-2', 'calm-1', 'unknown']) woken.add(id)
  const second = takeSome(woken)
  expect(second.ids).toEqual(['calm-1', 'unknown'])
  woken.giveBack(first)
  expect(woken.take(10)?.ids).toEqual(['loud-1', 'loud-2'])
  woken.add('calm-1')
  expect(woken.take(10)).toBeUndefined()
  woken.giveBack(second)
  expect(woken.take(10)?.ids).toEqual(['calm-1'])
})

test('a webhook whose tenant becomes known while it is served can be served again afterwards', () => {
  const woken = new WokenWebhooks()
  woken.add('one')
  const set = takeSome(woken)
  woken.learn('one', { tenant: 'mine', isBehind: false })
  woken.giveBack(set)
  woken.add('one')
  expect(woken.take(10)?.ids).toEqual(['one'])
})

test('webhooks with a backlog can be left for later', () => {
  const woken = new WokenWebhooks()
  woken.learn('behind', { tenant: 'loud', isBehind: true })
  woken.learn('calm', { tenant: 'calm', isBehind: false })
  for (const id of ['behind', 'calm', 'unknown']) woken.add(id)
  expect(woken.take(10, 'not_behind')?.ids).toEqual(['calm', 'unknown'])
  expect(woken.take(10)?.ids).toEqual(['behind'])
})
