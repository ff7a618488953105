import { expect, test } from '@jest/globals'
import { createWorld } from '@ariftly/testkit'
import { MANY_UNKNOWN, postEvents } from './attacks.ts'

const BODIES = 24

test('ingest has less than one full garbage collection in four bodies of 5 MiB', async () => {
  const world = await createWorld({ partitions: 1 })
  try {
    const ingest = await world.startService('ingest')
    const target = { port: ingest.port, key: await world.apiKey('one') }
    const body = Buffer.from(MANY_UNKNOWN)
    await postEvents(target, body)
    const before = await markingsOf(ingest.url)
    for (let post = 0; post < BODIES; post += 1) expect((await postEvents(target, body)).status).toBe(422)
    expect((await markingsOf(ingest.url)) - before).toBeLessThan(BODIES / 4)
  } finally {
    await world.close()
  }
})

/** How often a process has marked its whole heap: there is no figure before its first collection. */
async function markingsOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  expect(text).toContain('# TYPE ariftly_nodejs_gc_duration_seconds ')
  return Number(/^ariftly_nodejs_gc_duration_seconds_count\{[^}]*kind="major"[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0)
}
