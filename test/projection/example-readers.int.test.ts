import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LogEvent } from '@ariftly/events'
import { createKafka, createProducer, type ProducerRecord } from '@ariftly/kafka'
import { createTestTopics, recordsOf, sampleEvent, silentLog, stackAddresses, testFolder } from '@ariftly/testkit'
import { expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { compileJava } from '../support/java.ts'
import { runPython } from '../support/python.ts'

const PARTITIONS = 3
const EXAMPLES = join(ROOT, 'examples')
const execute = promisify(execFile)

/** An example, and how its state is changed as if it were of another cluster. */
interface Example {
  readonly stateFile: string
  run(...args: readonly string[]): Promise<string>
  moveToOtherCluster(file: string): Promise<void>
}

const examples: Readonly<Record<string, () => Promise<Example>>> = {
  async node() {
    const program = join(EXAMPLES, 'consumer-node/count-events.mjs')
    const run = async (...args: readonly string[]) =>
      (await execute(process.execPath, [program, ...args], { timeout: 60_000 })).stdout
    return { stateFile: 'node.json', run, moveToOtherCluster: changeJson }
  },
  async python() {
    const packages = readFileSync(join(EXAMPLES, 'consumer-python/requirements.txt'), 'utf8').trim().split('\n')
    const program = join(EXAMPLES, 'consumer-python/count_events.py')
    const change = 'import sqlite3, sys; sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2])'
    return {
      stateFile: 'python.db',
      run: async (...args) => await runPython({ args: [program, ...args], packages }),
      async moveToOtherCluster(file) {
        await runPython({ args: ['-c', change, file, "UPDATE log SET cluster_id = 'another'"], packages })
      },
    }
  },
  async java() {
    const program = await compileJava(join(EXAMPLES, 'consumer-java/CountEvents.java'))
    return { stateFile: 'java.json', run: (...args) => program.run(...args), moveToOtherCluster: changeJson }
  },
}

async function changeJson(file: string): Promise<void> {
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), clusterId: 'another' }))
}

function event(tenant: string, type: LogEvent['type'], taskId: string): LogEvent {
  return sampleEvent({ tenant, type, taskId, data: Buffer.from(`{"task_id":"${taskId}"}`) })
}

async function append(topic: string, records: readonly ProducerRecord[]): Promise<void> {
  const client = createKafka({ brokers: stackAddresses().kafka.split(','), clientId: 'test', log: silentLog })
  const producer = createProducer(client, { topic })
  try {
    expect((await producer.send(records)).ok).toBe(true)
  } finally {
    await producer.close()
    await client.close()
  }
}

/** Records that are no events, or none that the examples support. */
function recordsToSkip(): readonly ProducerRecord[] {
  return recordsOf([event('acme', 'task.created', 'skipped')], PARTITIONS).flatMap((record) => [
    { ...record, value: null },
    { ...record, value: Buffer.from('{"not json') },
    { ...record, headers: {} },
    { ...record, headers: { ...record.headers, ce_type: 'task.of_tomorrow' } },
  ])
}

async function checkExample(example: Example, topic: string): Promise<void> {
  const file = join(testFolder('example'), example.stateFile)
  const count = async () => JSON.parse(await example.run(stackAddresses().kafka, topic, file, '--until-end')) as unknown

  const first = ['t1', 't2', 't3', 't4'].map((task) => event('acme', 'task.created', task))
  const sameId = { ...event('globex', 'task.created', 't1'), id: first[0]?.id ?? '' }
  await append(topic, [...recordsOf([...first, sameId, ...first], PARTITIONS), ...recordsToSkip()])
  expect(await count()).toEqual({ 'acme task.created': 4, 'globex task.created': 1 })

  await append(topic, recordsOf([...first, event('acme', 'task.complete', 't1')], PARTITIONS))
  const both = { 'acme task.created': 4, 'acme task.complete': 1, 'globex task.created': 1 }
  expect(await count()).toEqual(both)

  await example.moveToOtherCluster(file)
  await expect(count()).rejects.toThrow(/the state is of .*another/)
}

test.each(Object.keys(examples))(
  'the example in %s counts each event once over two runs, and stops on another cluster',
  async (language) => {
    const example = await examples[language]?.()
    if (example === undefined) throw new Error(`no example in ${language}`)
    const topics = await createTestTopics({ partitions: PARTITIONS })
    try {
      await checkExample(example, topics.topic)
    } finally {
      await topics.delete()
    }
  },
)
