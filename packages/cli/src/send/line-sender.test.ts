import { expect, test } from '@jest/globals'
import { Ariftly } from '@ariftly/sdk'
import { LineSender } from './line-sender.ts'

const tick = async () => await new Promise((resolve) => setImmediate(resolve))

test.each([
  ['lines', 10_000, 'no JSON'],
  ['characters', 16, 'x'.repeat(1024 * 1024)],
])('waits while as many %s were refused as it holds, until they are taken out', async (_, count, text) => {
  const client = new Ariftly({ baseUrl: 'http://127.0.0.1:1', apiKey: 'k' })
  const sender = new LineSender({ client, idOf: undefined, onMoved: () => undefined })
  for (let number = 1; number <= count; number += 1) await sender.send({ number, text })
  let isTaken = false
  const next = sender.send({ number: count + 1, text }).then(() => (isTaken = true))
  await tick()
  expect(isTaken).toBe(false)
  expect(sender.takeRefused(count)).toHaveLength(count)
  await next
  expect(sender.counts.refused).toBe(count + 1)
  await client.close()
})
