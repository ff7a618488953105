import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { StackFault } from './fault.ts'
import { kafkaSpec } from './kafka.ts'
import { tryLock, type Lock } from './lock.ts'
import type { PartContext } from './part-context.ts'
import { startPart, type Part, type PartName } from './part.ts'
import { postgresSpec } from './postgres.ts'
import { redisSpec, redisUrl } from './redis.ts'
import type { StackTls } from './tls.ts'

/** Where the parts of a stack are: brokers as `host:port,…`, the owner's URL of Postgres, the URL of Redis. */
export interface StackAddresses {
  readonly kafka: string
  readonly postgres: string
  readonly redis: string
}

/** A stack that runs. A part is undefined when it was given by environment or not asked for. */
export interface LocalStack {
  readonly addresses: StackAddresses
  readonly kafka: Part | undefined
  readonly postgres: Part | undefined
  readonly redis: Part | undefined
  /** Ends all parts (≤ 8 s) and, of an ephemeral stack, removes its data. */
  readonly close: () => Promise<void>
}

/** How to start a stack. */
export interface StackOptions {
  /** Folder of all data; created if missing. Its `stack.json` has the addresses. */
  readonly dataDir: string
  /** For tests alone: nothing survives, so nothing is flushed to disk, and `dataDir` is removed at the end. */
  readonly ephemeral?: boolean
  /** KAFKA_BROKERS, DATABASE_ADMIN_URL or DATABASE_URL, and REDIS_URL replace a part; PATH and JAVA_HOME find programs. */
  readonly env?: NodeJS.ProcessEnv
  /** The parts to start; all three if not given. The address of one that is left out is empty. */
  readonly parts?: readonly PartName[]
  /** The parts speak TLS alone and ask for a password; if not given, they speak in the clear. For fresh data alone. */
  readonly tls?: StackTls
  /** Settings of Postgres in place of ours, as in `postgresql.conf`. */
  readonly postgresSettings?: Readonly<Record<string, string>>
  /** Called with a few words about what takes time. */
  progress?(line: string): void
  /** Called when a part ends unexpectedly. */
  onExit?(name: PartName, detail: string): void
}

/**
 * Starts real Kafka, Postgres and Redis on free ports of 127.0.0.1, in parallel, and resolves when all answer. They end with this
 * process, even when it is killed; ports and data of a previous run are used again where possible. If one part fails, the started
 * ones are stopped first.
 * @throws StackFault that says in one sentence what is missing or what failed.
 */
export async function startStack(options: StackOptions): Promise<LocalStack> {
  const dataDir = resolve(options.dataDir)
  mkdirSync(dataDir, { recursive: true, mode: 0o711 })
  const held = await tryLock(dataDir)
  if (held === undefined) {
    throw new StackFault(`Another process runs its stack in ${dataDir}: stop it first, or choose another DATA_DIR.`)
  }
  try {
    return await startParts(options, dataDir, held)
  } catch (error) {
    await held.release()
    throw error
  }
}

interface Started {
  readonly part: Part | undefined
  readonly address: string
}

async function startParts(options: StackOptions, dataDir: string, held: Lock): Promise<LocalStack> {
  const previous = readPrevious(join(dataDir, 'stack.json'))
  const starters = { kafka: startKafka, postgres: startPostgres, redis: startRedis }
  const names = ['kafka', 'postgres', 'redis'] as const
  const settled = await Promise.allSettled(
    names.map(async (name): Promise<Started> => {
      const given = givenAddress(name, options.env ?? process.env)
      if (given !== undefined) return { part: undefined, address: given }
      if (options.parts !== undefined && !options.parts.includes(name)) return { part: undefined, address: '' }
      return starters[name](contextOf(name, options, dataDir, previous))
    }),
  )
  const started = settled.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined))
  const parts = started.map((each) => each?.part)
  const close = async () => {
    await Promise.all(parts.map(async (part) => (options.ephemeral === true ? part?.kill() : part?.stop())))
    if (options.ephemeral === true) rmSync(dataDir, { recursive: true, force: true, maxRetries: 10 })
    await held.release()
  }
  const failed = settled.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) {
    await close()
    throw failed.reason
  }
  const [kafka, postgres, redis] = started.map((each) => each?.address ?? '')
  const addresses = { kafka: kafka ?? '', postgres: postgres ?? '', redis: redis ?? '' }
  writeAtomically(join(dataDir, 'stack.json'), `${JSON.stringify(addresses, null, 2)}\n`)
  return { addresses, kafka: parts[0], postgres: parts[1], redis: parts[2], close }
}

async function startKafka(context: PartContext): Promise<Started> {
  const part = await startPart(await kafkaSpec(context))
  return { part, address: `127.0.0.1:${part.port}` }
}

async function startPostgres(context: PartContext): Promise<Started> {
  const spec = await postgresSpec(context)
  const part = await startPart(spec)
  return { part, address: spec.url(part.port) }
}

async function startRedis(context: PartContext): Promise<Started> {
  const part = await startPart(await redisSpec(context))
  return { part, address: redisUrl(context, part.port) }
}

function contextOf(name: PartName, options: StackOptions, dataDir: string, previous: StackAddresses): PartContext {
  const dir = join(dataDir, name)
  mkdirSync(dir, { recursive: true, mode: 0o711 })
  const ephemeral = options.ephemeral === true
  return {
    dir,
    ephemeral,
    env: options.env ?? process.env,
    port: portOf(previous[name]),
    tls: options.tls,
    postgresSettings: options.postgresSettings ?? {},
    progress: (line) => options.progress?.(line),
    onExit: (detail) => options.onExit?.(name, detail),
    remove: ephemeral ? { remove: dir } : {},
  }
}

function givenAddress(name: PartName, env: NodeJS.ProcessEnv): string | undefined {
  const given = {
    kafka: [env['KAFKA_BROKERS']],
    postgres: [env['DATABASE_ADMIN_URL'], env['DATABASE_URL']],
    redis: [env['REDIS_URL']],
  }
  return given[name].find((value) => value !== undefined && value !== '')
}

function readPrevious(file: string): StackAddresses {
  try {
    const { kafka, postgres, redis } = JSON.parse(readFileSync(file, 'utf8')) as Partial<StackAddresses>
    return { kafka: kafka ?? '', postgres: postgres ?? '', redis: redis ?? '' }
  } catch {
    return { kafka: '', postgres: '', redis: '' } // The first start, or a damaged file: new ports are chosen.
  }
}

/** The port of an address on this machine; undefined for any other address. */
function portOf(address: string): number | undefined {
  const match = /127\.0\.0\.1:(\d+)(?:\/|$)/.exec(address)
  return match === null ? undefined : Number(match[1])
}

function writeAtomically(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
