// Counts the events of the log by tenant and type. Each event counts once, also when the program is killed and started again.
// npm install kafkajs; node count-events.mjs localhost:9092 ariftly.events.v1 state.json [--until-end]
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'

const KNOWN_TYPES = new Set(['task.created', 'task.progress', 'task.complete', 'task.failed'])
const [brokers, topic, file, untilEnd] = process.argv.slice(2)
if (file === undefined) throw new Error('usage: count-events.mjs <brokers> <topic> <state file> [--until-end]')

const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'count-events', logLevel: logLevel.ERROR })
const { clusterId, offsets } = await describeLog()
const state = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { clusterId, next: {}, seen: {}, counts: {} }
checkState()
const ends = Object.fromEntries(
  offsets.map(({ partition, low, high }) => [partition, low === high ? 0n : BigInt(high)]),
)

// The group is there because kafkajs cannot read without one. Its offsets are never committed: those of the state file count.
const consumer = kafka.consumer({ groupId: `count-events.${topic}` })
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
const ended = new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, ({ payload }) => payload.restart || reject(payload.error))
  process.once('SIGTERM', resolve).once('SIGINT', resolve)
  const eachBatch = async ({ batch }) => {
    for (const message of batch.messages) take(batch.partition, message)
    save()
    if (untilEnd && atEnd()) resolve()
  }
  consumer.run({ autoCommit: false, eachBatch }).catch(reject)
  for (const [partition, offset] of Object.entries(state.next)) {
    consumer.seek({ topic, partition: Number(partition), offset })
  }
  if (untilEnd && atEnd()) resolve()
})
try {
  await ended
} finally {
  await consumer.disconnect()
}
console.log(JSON.stringify(state.counts))

async function describeLog() {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return { ...(await admin.describeCluster()), offsets: await admin.fetchTopicOffsets(topic) }
  } finally {
    await admin.disconnect()
  }
}

// Offsets mean nothing in another log. (kafkajs does not report the topic id, which would be compared too.)
function checkState() {
  if (state.clusterId !== clusterId) {
    throw new Error(`the state is of cluster ${state.clusterId}, but this is cluster ${clusterId}`)
  }
  for (const { partition, low, high } of offsets) {
    const next = BigInt(state.next[partition] ?? low)
    if (next < BigInt(low) || next > BigInt(high)) {
      throw new Error(`partition ${partition} has no offset ${next}: read what is missing from GET /v1/events`)
    }
  }
}

// Changes the counts, the ids and the offset together, so that each saved state is right.
function take(partition, { offset, value, headers }) {
  if (BigInt(offset) < BigInt(state.next[partition] ?? 0)) return
  state.next[partition] = String(BigInt(offset) + 1n)
  const [tenant, id, type] = ['ce_tenant', 'ce_id', 'ce_type'].map((name) => headers?.[name]?.toString())
  if (tenant === undefined || id === undefined || !KNOWN_TYPES.has(type) || !isObject(value)) return
  const event = `${tenant} ${id}`
  if (state.seen[event]) return
  state.seen[event] = true // Grows with the log: a real service keeps this in its database.
  const name = `${tenant} ${type}`
  state.counts[name] = (state.counts[name] ?? 0) + 1
}

// A tombstone (null) and what is no JSON object are no events.
function isObject(value) {
  try {
    const data = JSON.parse(value.toString())
    return typeof data === 'object' && data !== null && !Array.isArray(data)
  } catch {
    return false
  }
}

// Replaces the file at once: after a crash it holds the old state or the new one.
function save() {
  writeFileSync(`${file}.new`, JSON.stringify(state), { flush: true })
  renameSync(`${file}.new`, file)
}

function atEnd() {
  return Object.entries(ends).every(([partition, end]) => BigInt(state.next[partition] ?? 0) >= end)
}
