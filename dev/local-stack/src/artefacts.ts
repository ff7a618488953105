import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { StackFault } from './fault.ts'
import { takeLock } from './lock.ts'
import { findOnPath } from './programs.ts'
import { runSupervised } from './supervise.ts'

/** Where artefacts are fetched from, and what reports that it takes a while. */
export interface FetchContext {
  readonly env: NodeJS.ProcessEnv
  readonly progress: (line: string) => void
}

interface Artefact {
  readonly title: string
  readonly folder: string
  readonly dependencies: readonly (readonly [group: string, artefact: string, version: string])[]
  readonly goal: readonly string[]
  /** What to do instead of installing Maven. */
  readonly instead: string
}

const KAFKA: Artefact = {
  title: 'Apache Kafka 4.4.0 (43 MB)',
  folder: 'kafka-4.4.0',
  dependencies: [
    ['org.apache.kafka', 'kafka_2.13', '4.4.0'],
    ['org.apache.logging.log4j', 'log4j-slf4j-impl', '2.25.1'], // Without it the broker's log is silent.
  ],
  goal: ['dependency:copy-dependencies', '-DincludeScope=runtime'],
  instead: 'set KAFKA_BROKERS to a Kafka that runs already',
}

const KAFKA_TOOLS: Artefact = {
  title: 'the tools of Apache Kafka 4.4.0 (45 MB)',
  folder: 'kafka-tools-4.4.0',
  dependencies: [
    ['org.apache.kafka', 'kafka-tools', '4.4.0'],
    ['org.slf4j', 'slf4j-nop', '1.7.36'],
  ],
  goal: ['dependency:copy-dependencies', '-DincludeScope=runtime'],
  instead: 'leave out what needs them',
}

const JAVA_READER: Artefact = {
  title: "Kafka's Java client 4.4.0, the CloudEvents SDK, a JSON Schema validator and a compiler (27 MB)",
  folder: 'java-reader-4.4.0',
  dependencies: [
    ['org.apache.kafka', 'kafka-clients', '4.4.0'],
    ['com.networknt', 'json-schema-validator', '1.5.7'],
    ['io.cloudevents', 'cloudevents-http-basic', '4.0.1'],
    ['io.cloudevents', 'cloudevents-json-jackson', '4.0.1'],
    ['com.fasterxml.jackson.core', 'jackson-core', '2.18.3'], // Maven would take an older one than the validator needs.
    ['org.eclipse.jdt', 'ecj', '3.38.0'], // Runs where there is a Java runtime without a JDK.
    ['org.slf4j', 'slf4j-nop', '1.7.36'],
  ],
  goal: ['dependency:copy-dependencies', '-DincludeScope=runtime'],
  instead: 'leave out what needs them',
}

const JDBC_SINK: Artefact = {
  title: 'Kafka Connect 4.4.0 with the Debezium JDBC sink 3.2.0 (64 MB)',
  folder: 'connect-debezium-3.2.0',
  dependencies: [
    ['org.apache.kafka', 'connect-runtime', '4.4.0'],
    ['org.apache.kafka', 'connect-json', '4.4.0'],
    ['io.debezium', 'debezium-connector-jdbc', '3.2.0.Final'],
    // The connector takes these two for given.
    ['io.debezium', 'debezium-core', '3.2.0.Final'],
    ['io.debezium', 'debezium-sink', '3.2.0.Final'],
    ['org.postgresql', 'postgresql', '42.7.7'],
    ['org.slf4j', 'slf4j-simple', '1.7.36'],
  ],
  goal: ['dependency:copy-dependencies', '-DincludeScope=runtime'],
  instead: 'leave out what needs it',
}

const REDIS: Artefact = {
  title: 'Redis 6.2 (14 MB)',
  folder: 'redis-6.2',
  dependencies: [['com.github.codemonstur', 'embedded-redis', '1.4.4']],
  goal: ['dependency:unpack-dependencies', '-Dmdep.unpack.includes=redis-server-*'],
  instead: 'install redis-server, or set REDIS_URL to a Redis that runs already',
}

const DEPENDENCY_PLUGIN = '3.7.0'

/**
 * The folder that holds the jars of Apache Kafka, fetched by Maven the first time.
 * @throws StackFault when they have to be fetched and Maven is missing or fails.
 */
export function fetchKafkaJars(context: FetchContext): Promise<string> {
  return fetchArtefact(KAFKA, context)
}

/**
 * The folder that holds the jars of Kafka's own command line tools (ProducerPerformance and others), fetched by Maven the first time.
 * @throws StackFault when they have to be fetched and Maven is missing or fails.
 */
export function fetchKafkaTools(context: FetchContext): Promise<string> {
  return fetchArtefact(KAFKA_TOOLS, context)
}

/**
 * The folder that holds what a Java program needs to read the log by its published documents, or to post CloudEvents: Kafka's client,
 * the CloudEvents SDK, a validator of JSON Schema (with Jackson), and a compiler (`org.eclipse.jdt.internal.compiler.batch.Main`); fetched by Maven the first time.
 * @throws StackFault when they have to be fetched and Maven is missing or fails.
 */
export function fetchJavaReader(context: FetchContext): Promise<string> {
  return fetchArtefact(JAVA_READER, context)
}

/**
 * The folder that holds the jars of Kafka Connect and of the Debezium JDBC sink, a peer of the projector in benchmarks; fetched by
 * Maven the first time.
 * @throws StackFault when they have to be fetched and Maven is missing or fails.
 */
export function fetchJdbcSink(context: FetchContext): Promise<string> {
  return fetchArtefact(JDBC_SINK, context)
}

/**
 * A Redis server for this operating system and processor, fetched by Maven the first time.
 * @throws StackFault when there is none, or it has to be fetched and Maven is missing or fails.
 */
export async function fetchRedisBinary(context: FetchContext): Promise<string> {
  const folder = await fetchArtefact(REDIS, context)
  const suffix = `-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`
  const name = fs.readdirSync(folder).find((entry) => entry.startsWith('redis-server-') && entry.endsWith(suffix))
  if (name === undefined) throw new StackFault(`There is no Redis to fetch for ${process.platform}: ${REDIS.instead}.`)
  const file = join(folder, name)
  fs.chmodSync(file, 0o755)
  return file
}

/**
 * The cache is shared by all checkouts of this user. A folder appears in it atomically (it is renamed into place), and one process
 * fetches while the others wait.
 */
async function fetchArtefact(artefact: Artefact, context: FetchContext): Promise<string> {
  const pom = renderPom(artefact)
  const version = createHash('sha256').update(pom).update(artefact.goal.join(' ')).digest('hex').slice(0, 8)
  const cache = cacheFolder(context.env)
  const folder = join(cache, `${artefact.folder}-${version}`)
  if (fs.existsSync(folder)) return folder
  fs.mkdirSync(cache, { recursive: true })
  const held = await takeLock(folder, () => {
    context.progress(`Waiting for another process that fetches ${artefact.title}`)
  })
  try {
    if (!fs.existsSync(folder)) await runMaven(artefact, pom, folder, context)
    return folder
  } finally {
    await held.release()
  }
}

async function runMaven(artefact: Artefact, pom: string, folder: string, context: FetchContext): Promise<void> {
  const file = findOnPath('mvn', context.env['PATH'])
  if (file === undefined) {
    throw new StackFault(
      `Maven is needed once to fetch ${artefact.title}, and there is no mvn on the PATH: install it (Debian: apt-get install maven), or ${artefact.instead}.`,
    )
  }
  context.progress(`Fetching ${artefact.title}`)
  const work = fs.mkdtempSync(`${folder}.`)
  try {
    const out = join(work, 'out')
    const log = join(work, 'log')
    fs.writeFileSync(join(work, 'pom.xml'), pom)
    const args = ['-B', '-q', '-f', join(work, 'pom.xml'), ...artefact.goal, `-DoutputDirectory=${out}`]
    const code = await runSupervised({ file, args, cwd: work }, log)
    if (code !== 0) throw new StackFault(`Maven could not fetch ${artefact.title}; it said:\n${lastLines(log)}`)
    fs.renameSync(out, folder)
  } finally {
    fs.rmSync(work, { recursive: true, force: true })
  }
}

function lastLines(file: string): string {
  return fs.readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8).join('\n')
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME']
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'ariftly-events')
}

// No repository is named: Maven's own settings say where artefacts are fetched from.
function renderPom(artefact: Artefact): string {
  const dependencies = artefact.dependencies.map(([group, id, version]) =>
    ['<dependency>', tag('groupId', group), tag('artifactId', id), tag('version', version), '</dependency>'].join(''),
  )
  const plugin = tag('artifactId', 'maven-dependency-plugin') + tag('version', DEPENDENCY_PLUGIN)
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0">',
    tag('modelVersion', '4.0.0'),
    tag('groupId', 'io.ariftly'),
    tag('artifactId', 'local-stack'),
    tag('version', '1'),
    tag('packaging', 'pom'),
    tag('dependencies', dependencies.join('')),
    tag('build', tag('plugins', tag('plugin', plugin))),
    '</project>',
    '',
  ].join('\n')
}

function tag(name: string, value: string): string {
  return `<${name}>${value}</${name}>`
}
