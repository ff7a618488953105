import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fetchKafkaJars } from './artefacts.ts'
import { ensureClassArchive } from './class-archive.ts'
import { StackFault } from './fault.ts'
import { findFreePort } from './ports.ts'
import { findOnPath, isExecutable } from './programs.ts'
import type { PartContext } from './part-context.ts'
import type { PartSpec } from './part.ts'
import { probe } from './probe.ts'
import { runSupervised } from './supervise.ts'
import { writePemKeyStore, type StackTls } from './tls.ts'

const execute = promisify(execFile)
const JAVA_MIN = 17

/** Java decodes paths by the locale, and finds no folder with other letters than ASCII in the locale C. */
const JVM_ENV = { ...process.env, LC_ALL: 'C.UTF-8' }

/**
 * Apache Kafka as one node that is broker and controller (KRaft). The controller's port is another one at every start: with a static
 * quorum the voter's address is a setting, so nothing on disk holds it.
 * @throws StackFault when Java is missing or too old.
 */
export async function kafkaSpec(context: PartContext): Promise<PartSpec> {
  const java = await locateJava(context.env)
  const jars = await fetchKafkaJars(context)
  const archive = await ensureClassArchive(join(jars, `classes-${java.version}.jsa`), context, (work, flag) =>
    brokerSpec(work, java.file, jars, [flag]),
  )
  return brokerSpec(context, java.file, jars, archive === undefined ? [] : [`-XX:SharedArchiveFile=${archive}`])
}

function brokerSpec(context: PartContext, java: string, jars: string, flags: readonly string[]): PartSpec {
  const data = join(context.dir, 'data')
  const { tls } = context
  let plainPort = 0
  if (tls === undefined) formatOnce(data)
  writeFileSync(join(context.dir, 'log4j2.xml'), LOG4J)
  return {
    ...context,
    name: 'kafka',
    stopSignal: 'SIGTERM',
    death: { signal: 'SIGTERM', graceMs: 5000, ...context.remove },
    prepare: async (port) => {
      const file = join(context.dir, 'server.properties')
      const controllerPort = await findFreePort(new Set([port]))
      // Kafka asks itself nothing over TLS: a certificate that is wrong on purpose must not keep it from working.
      plainPort = tls === undefined ? port : await findFreePort(new Set([port, controllerPort]))
      const ports = { port, plainPort, controllerPort }
      writeFileSync(file, renderProperties(settings(context, ports, data)), { mode: 0o600 })
      const jvm = [...jvmFlags(context), ...flags, '-cp', join(jars, '*')]
      if (tls !== undefined) await formatWithUser(context.dir, data, tls, [java, ...jvm])
      const args = [...jvm, 'kafka.Kafka', file]
      return { file: java, args, cwd: context.dir, env: JVM_ENV }
    },
    probe: () => probe({ port: plainPort }, METADATA_REQUEST, hasBroker),
  }
}

// What `StorageTool format` would write, without another JVM: the broker takes the metadata version that it ships with.
function formatOnce(data: string): void {
  const file = join(data, 'meta.properties')
  if (existsSync(file)) return
  mkdirSync(data, { recursive: true })
  writeFileSync(
    file,
    renderProperties({ version: '1', 'cluster.id': newId(), 'node.id': '1', 'directory.id': newId() }),
  )
}

/** A 16-byte id as Kafka writes it: base64url, no leading dash. */
function newId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A')
}

interface Ports {
  readonly port: number
  /** The same without TLS; another one with it. */
  readonly plainPort: number
  readonly controllerPort: number
}

/** A user of SASL's scram exchanges has to be in the data before the first start: this takes another JVM, about 2 s. */
async function formatWithUser(
  dir: string,
  data: string,
  { user, passwords }: StackTls,
  [java = '', ...jvm]: readonly string[],
): Promise<void> {
  if (existsSync(join(data, 'meta.properties'))) return
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${user},password=${passwords.kafka}]`,
  ])
  const tool = ['kafka.tools.StorageTool', 'format', '-t', newId(), '-c', join(dir, 'server.properties'), ...scram]
  const log = join(dir, 'format.log')
  const code = await runSupervised({ file: java, args: [...jvm, ...tool], cwd: dir, env: JVM_ENV }, log)
  if (code !== 0) throw new StackFault(`Kafka could not be set up; its log (${log}):\n${readFileSync(log, 'utf8')}`)
}

function settings(
  context: PartContext,
  { port, plainPort, controllerPort }: Ports,
  data: string,
): Readonly<Record<string, string | number>> {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${plainPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': data,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0, // Else every start of a group waits 3 s.
    'group.min.session.timeout.ms': 1000,
    // After a stop the broker can register again immediately; after a kill only when its previous session is over (default 9 s).
    // Much less than this, and on a busy machine the broker's requests to register time out before they are sent.
    'broker.session.timeout.ms': 6000,
    // No records to itself while nothing happens (default: two a second).
    'metadata.max.idle.interval.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'file.delete.delay.ms': 1000,
    'metrics.jmx.reporter.auto.include': 'false',
    ...(context.tls === undefined ? {} : tlsSettings(context, context.tls, { port, plainPort, controllerPort })),
  }
}

/** Clients connect to `SECURE`; `PLAINTEXT` is the broker's own, on a port that is not published. */
function tlsSettings(
  context: PartContext,
  tls: StackTls,
  { port, plainPort, controllerPort }: Ports,
): Readonly<Record<string, string | number>> {
  const login = 'org.apache.kafka.common.security'
  const own: Readonly<Record<string, string | number>> = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': writePemKeyStore(tls, context.dir),
    'sasl.enabled.mechanisms': `PLAIN,SCRAM-SHA-256,SCRAM-SHA-512${tls.kafkaTokens === true ? ',OAUTHBEARER' : ''}`,
    'plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_${tls.user}="${tls.passwords.kafka}";`,
    'scram-sha-256.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    'scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    ...(tls.kafkaTokens === true
      ? { 'oauthbearer.sasl.jaas.config': `${login}.oauthbearer.OAuthBearerLoginModule required;` }
      : {}),
    ...(tls.kafkaLoginMs === undefined ? {} : { 'connections.max.reauth.ms': tls.kafkaLoginMs }),
    ...(tls.clientCaFile === undefined
      ? {}
      : {
          'ssl.client.auth': 'required',
          'ssl.truststore.type': 'PEM',
          'ssl.truststore.location': tls.clientCaFile,
        }),
  }
  const hosts = { SECURE: port, PLAINTEXT: plainPort, CONTROLLER: controllerPort }
  return {
    listeners: Object.entries(hosts)
      .map(([name, at]) => `${name}://127.0.0.1:${at}`)
      .join(','),
    'listener.security.protocol.map': 'SECURE:SASL_SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    ...Object.fromEntries(Object.entries(own).map(([name, value]) => [`listener.name.secure.${name}`, value])),
  }
}

function jvmFlags(context: PartContext): readonly string[] {
  const size = context.ephemeral ? ['-Xms96m', '-Xmx320m', '-XX:TieredStopAtLevel=1'] : ['-Xms96m', '-Xmx512m']
  const log = `-Dlog4j2.configurationFile=${join(context.dir, 'log4j2.xml')}`
  return [...size, '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Xshare:auto', '-Djava.awt.headless=true', log]
}

const LOG4J = `<Configuration status="ERROR">
  <Appenders><Console name="out"><PatternLayout pattern="%d{ISO8601} %p %c{1} %m%n%throwable"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
`

function renderProperties(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${escapeProperty(String(value))}\n`)
    .join('')
}

/** A value as `java.util.Properties` reads it: ISO 8859-1, other characters as `\uXXXX` (UTF-16). */
function escapeProperty(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

interface Java {
  readonly file: string
  /** As it says itself, `17.0.21`. */
  readonly version: string
}

/**
 * The `java` of JAVA_HOME or PATH.
 * @throws StackFault when there is none, or it is too old for Kafka.
 */
async function locateJava(env: NodeJS.ProcessEnv): Promise<Java> {
  const home = env['JAVA_HOME']
  const atHome = home === undefined || home === '' ? undefined : join(home, 'bin', 'java')
  const file = atHome !== undefined && isExecutable(atHome) ? atHome : findOnPath('java', env['PATH'])
  const version = file === undefined ? undefined : await javaVersion(file)
  if (file !== undefined && version !== undefined && Number.parseInt(version, 10) >= JAVA_MIN) return { file, version }
  const found = file === undefined ? 'there is no java on the PATH' : `${file} is ${version ?? 'of unknown version'}`
  throw new StackFault(
    `Java ${JAVA_MIN} or newer is needed to run Kafka here, and ${found}: install it (Debian: apt-get install default-jre-headless), or set KAFKA_BROKERS to a Kafka that runs already.`,
  )
}

async function javaVersion(file: string): Promise<string | undefined> {
  const flags = ['-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-version']
  const { stderr } = await execute(file, flags).catch(() => ({ stderr: '' }))
  return /version "([\w.+-]+)/.exec(stderr)?.[1]
}

// Metadata request, version 1, for no topic: api key 3, correlation id 1, no client id, an empty array. The answer lists the brokers
// that the controller lets in, so one there means that the broker is registered and not fenced.
const METADATA_REQUEST = Buffer.from('0000000e 0003 0001 00000001 ffff 00000000'.replaceAll(' ', ''), 'hex')

function hasBroker(answer: Buffer): boolean | undefined {
  if (answer.length < 12) return undefined
  return answer.readInt32BE(8) >= 1 // After the size and the correlation id.
}
