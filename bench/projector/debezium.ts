import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchJdbcSink, findFreePort, startSupervised, type Supervised } from '@ariftly/local-stack'
import { DEADLINES, eventually } from '@ariftly/testkit'
import { JSON_SCHEMA } from './workload.ts'

/** Kafka Connect standalone, in which each run is a connector of its own, so that the JVM is warm after the first. */
export interface Debezium {
  /** Of the worker. */
  readonly pid: number
  /** Starts a connector that reads `topic` from its start into the table `events`. */
  start(o: { readonly topic: string; readonly databaseUrl: string; readonly tuning: Tuning }): Promise<void>
  /** Ends the connector that runs. */
  stop(): Promise<void>
  close(): Promise<void>
}

/** What the sink's speed depends on. */
export interface Tuning {
  /** Rows of a statement batch, and records of a poll. */
  readonly batch: number
  readonly tasks: number
}

/** Starts the worker; the first time its jars are fetched. */
export async function startDebezium(kafka: string, say: (line: string) => void): Promise<Debezium> {
  const jars = await fetchJdbcSink({ env: process.env, progress: say })
  const dir = mkdtempSync(join(tmpdir(), 'ariftly-connect-'))
  const port = await findFreePort()
  writeFileSync(join(dir, 'worker.properties'), renderProperties(workerSettings(kafka, port, dir)))
  const home = process.env['JAVA_HOME'] ?? ''
  const file = home === '' ? 'java' : join(home, 'bin/java')
  const args = ['-Xmx1g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', join(jars, '*')]
  args.push('org.apache.kafka.connect.cli.ConnectStandalone', join(dir, 'worker.properties'))
  const log = join(dir, 'log')
  const worker = await startSupervised({ file, args, cwd: dir }, { signal: 'SIGKILL', graceMs: 0 }, log)
  const url = `http://127.0.0.1:${port}/connectors`
  await eventually('Kafka Connect answers', async () => (await fetch(url)).ok, {
    timeoutMs: DEADLINES.programStart,
    everyMs: 200,
  })
  let name: string | undefined
  let count = 0

  async function start({ topic, databaseUrl, tuning }: Parameters<Debezium['start']>[0]): Promise<void> {
    name = `run-${++count}`
    const config = connectorSettings(topic, databaseUrl, tuning)
    const body = JSON.stringify({ name, config })
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    if (!answer.ok) throw new Error(`Kafka Connect answered ${answer.status}: ${await answer.text()}`)
  }

  async function stop(): Promise<void> {
    if (name !== undefined) await fetch(`${url}/${name}`, { method: 'DELETE' })
    name = undefined
  }

  return { pid: worker.pid, start, stop, close: () => end(worker, dir, say) }
}

async function end(worker: Supervised, dir: string, say: (line: string) => void): Promise<void> {
  process.kill(worker.pid, 'SIGKILL')
  await worker.exited
  const errors = readFileSync(join(dir, 'log'), 'utf8').split('\n')
  for (const line of errors.filter((text) => text.includes(' ERROR ')).slice(0, 5)) say(line.slice(0, 400))
  rmSync(dir, { recursive: true, force: true })
}

function workerSettings(kafka: string, port: number, dir: string): Readonly<Record<string, string>> {
  return {
    'bootstrap.servers': kafka,
    listeners: `http://127.0.0.1:${port}`,
    'plugin.discovery': 'only_scan',
    'offset.storage.file.filename': join(dir, 'offsets'),
    'connector.client.config.override.policy': 'All',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  }
}

function connectorSettings(topic: string, databaseUrl: string, tuning: Tuning): Readonly<Record<string, string>> {
  const { hostname, port, pathname, username, password } = new URL(databaseUrl)
  return {
    'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
    topics: topic,
    'tasks.max': String(tuning.tasks),
    'connection.url': `jdbc:postgresql://${hostname}:${port}${pathname}?reWriteBatchedInserts=true&stringtype=unspecified`,
    'connection.username': username,
    'connection.password': password,
    'collection.name.format': 'events',
    'insert.mode': 'upsert',
    'primary.key.mode': 'record_value',
    'primary.key.fields': 'tenant_id,id',
    'schema.evolution': 'none',
    'quote.identifiers': 'true',
    'batch.size': String(tuning.batch),
    'consumer.override.max.poll.records': String(tuning.batch),
    'consumer.override.fetch.min.bytes': '65536',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'true',
    'value.converter.schema.content': JSON.stringify(JSON_SCHEMA),
  }
}

function renderProperties(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
