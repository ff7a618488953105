import { readFileSync, rmSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createTopics } from '@ariftly/kafka'
import { createWorld, eventually, startOwnStack, type World } from '@ariftly/testkit'
import { numberedEvents, range, storedNumbers, writeEvents } from './event-writer.ts'
import { runProjectionCommand } from './run-projection-command.ts'

const PARTITIONS = 3

let stack: Awaited<ReturnType<typeof startOwnStack>>
let world: World

beforeAll(async () => {
  stack = await startOwnStack()
  const env = { KAFKA_SESSION_TIMEOUT_MS: '6000' }
  world = await createWorld({ partitions: PARTITIONS, addresses: stack.addresses, env })
})

afterAll(async () => {
  await world?.close()
  await stack?.close()
})

async function holds(numbers: readonly number[]): Promise<void> {
  await eventually('the numbered events', async () => (await storedNumbers(world)).join() === numbers.join())
}

/** The same name and port, another cluster, and nothing of the previous log. */
async function wipeBroker(): Promise<void> {
  await stack.kafka?.stop()
  const data = join(stack.dataDir, 'kafka/data')
  const identity = readFileSync(join(data, 'meta.properties'), 'utf8')
  rmSync(data, { recursive: true })
  mkdirSync(data)
  const other = identity.replace(/^cluster.id=.*$/m, 'cluster.id=AnotherClusterOfTests1')
  writeFileSync(join(data, 'meta.properties'), other)
  await stack.kafka?.start()
  await createTopics(world.kafka(), { ...world.topics, partitions: PARTITIONS, replication: 1 })
}

describe('the operator commands, as processes', () => {
  test('say how to use them, and that a setting is missing', async () => {
    const usage = await runProjectionCommand(world.env, 'statsu')
    expect(usage).toEqual({ code: 64, output: expect.stringContaining('adopt-log') })
    const { KAFKA_BROKERS: _brokers, ...without } = world.env
    const missing = await runProjectionCommand(without, 'status')
    expect(missing).toEqual({ code: 78, output: expect.stringContaining('KAFKA_BROKERS') })
  })

  test('status, verify and rebuild work next to a running projector', async () => {
    const projector = await world.startService('projector')
    await writeEvents(world, numberedEvents(0, 60))
    await holds(range(0, 60))
    const status = await runProjectionCommand(world.env, 'status')
    expect(status).toEqual({ code: 0, output: expect.stringMatching(/epoch 1 .*total lag 0\n$/s) })
    expect(await runProjectionCommand(world.env, 'verify')).toEqual({
      code: 0,
      output: '60 events compared, 0 differences\n',
    })
    await world.admin.query(`DELETE FROM events WHERE (data->>'n')::int < 7`)
    expect((await runProjectionCommand(world.env, 'verify')).code).toBe(1)
    expect(await runProjectionCommand(world.env, 'rebuild')).toEqual({
      code: 0,
      output: expect.stringMatching(/read 60, inserted 7\n$/),
    })
    expect(await storedNumbers(world)).toEqual(range(0, 60))
    projector.kill('SIGTERM')
    expect(await projector.exited).toBe(0)
  })
})

describe('a wiped broker under the same name', () => {
  test('stops the projector before it takes anything for seen, until an operator adopts the new log', async () => {
    const projector = await world.startService('projector')
    await holds(range(0, 60))
    await wipeBroker()
    // As many again, so that the new log reaches beyond the stored positions.
    await writeEvents(world, numberedEvents(1_000, 300))
    await eventually('the projector names the other log', () => projector.output().includes('log_identity_changed'))
    await eventually('the projector is not ready', async () => (await fetch(`${projector.url}/readyz`)).status === 503)
    expect(await storedNumbers(world)).toEqual(range(0, 60))
    expect((await runProjectionCommand(world.env, 'status')).output).toContain('adopt-log')
    expect(await runProjectionCommand(world.env, 'adopt-log')).toEqual({
      code: 0,
      output: expect.stringContaining('Opened epoch 2'),
    })
    await holds([...range(0, 60), ...range(1_000, 1_300)])
    await eventually('the projector is ready', async () => (await fetch(`${projector.url}/readyz`)).status === 200)
    expect((await runProjectionCommand(world.env, 'verify')).code).toBe(0)
    expect((await world.admin.query('SELECT FROM log_holes')).rowCount).toBe(0)
    projector.kill('SIGTERM')
    expect(await projector.exited).toBe(0)
  })
})

describe('another number of partitions', () => {
  test('keeps the projector from reading, and is said in its readiness, log and metrics', async () => {
    const env = { ...world.env, KAFKA_PARTITIONS: String(PARTITIONS - 1) }
    const projector = await world.startService('projector', env, { untilReady: false })
    await eventually('the changed partition count', () => projector.output().includes('partition_count_changed'))
    // Its log may say so before it listens.
    const ready = await eventually('the projector answers', async () => await fetch(`${projector.url}/readyz`))
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('partitions')])
    projector.kill('SIGTERM')
    expect(await projector.exited).toBe(0)
  })
})
