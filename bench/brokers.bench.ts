import {
  DEADLINES,
  createPartitionPosts,
  createWorld,
  eventually,
  leadersOf,
  startKafkaProxies,
  startServiceProcess,
  startThreeBrokers,
  type CuttingProxy,
  type ExtraBroker,
  type PartitionAnswer,
  type PartitionPosts,
  type ServiceProcess,
  type ThreeBrokers,
  type World,
} from '@ariftly/testkit'
import { measurement, percentile, type Bench } from './support/report.ts'
import { bySize } from './support/size.ts'

const PARTITIONS = 12
const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition)
/** Each partition gets an event so often, in a request of its own. */
const EVERY_MS = 100
const WINDOW_MS = bySize({ full: 10_000, smallest: 2_000 })
/** How long after a broker was fenced ingest may take to write to the next leaders. */
const SETTLED_MS = 1_000
const PATIENCE = { timeoutMs: DEADLINES.step, everyMs: 100 }

/**
 * Latency of posts while one of three brokers is unavailable: dead, frozen, unreachable from ingest only (three replicas, two in
 * sync), and dead as the only replica of its partitions. Single events, one each 100 ms for each of twelve partitions.
 */
export const brokers: Bench = async (say) => {
  const kafka = await startThreeBrokers()
  try {
    const kept = await withIngest(kafka, 3, async (ingest) => {
      const refused = await measureRefused(ingest)
      say(`refused: ${JSON.stringify(refused)}`)
      const [killed, frozen] = kafka.others
      const afterKill = await measureSurvivors(ingest, killed, {
        away: () => killed.kill(),
        back: () => killed.start(),
      })
      say(`killed: ${JSON.stringify(afterKill)}`)
      const act = { away: async () => frozen.pause(), back: async () => frozen.resume() }
      const afterFreeze = await measureSurvivors(ingest, frozen, act)
      say(`frozen: ${JSON.stringify(afterFreeze)}`)
      return { refused, survivors: Math.max(afterKill.p99Ms, afterFreeze.p99Ms) }
    })
    const single = await withIngest(kafka, 1, async (ingest) => await measureDead(ingest, kafka.others[0]))
    say(`dead: ${JSON.stringify(single)}`)
    return [
      measurement('survivors_p99_ms', kept.survivors, 'ms'),
      measurement('refused_broker_p99_ms', kept.refused.p99Ms, 'ms'),
      measurement('dead_partition_503_ms', single.refusedP99Ms, 'ms'),
      measurement('others_p99_ms', single.othersP99Ms, 'ms'),
    ]
  } finally {
    await kafka.close()
  }
}

/** Ingest on a topic of its own, which reaches each broker through a proxy. */
interface Ingest {
  readonly world: World
  readonly proxies: readonly CuttingProxy[]
  readonly posts: PartitionPosts
  /** Partitions that a broker leads now. */
  readonly ledBy: (broker: ExtraBroker) => Promise<readonly number[]>
}

async function withIngest<T>(kafka: ThreeBrokers, replication: number, use: (i: Ingest) => Promise<T>): Promise<T> {
  const addresses = { ...kafka.stack.addresses, kafka: kafka.brokers }
  const world = await createWorld({ addresses, replication, partitions: PARTITIONS })
  const proxies = await startKafkaProxies(kafka.brokers.split(','))
  let service: ServiceProcess | undefined
  try {
    const env = { ...world.env, KAFKA_BROKERS: proxies.map(({ port }) => `127.0.0.1:${port}`).join() }
    service = await startServiceProcess('ingest', env, { timeoutMs: 60_000 })
    const apiKey = await world.apiKey('default')
    const posts = createPartitionPosts({ url: service.url, apiKey, tenant: 'default', partitions: PARTITIONS })
    await eventually('all partitions accept events', async () => (await posts.post(ALL)).status === 202, PATIENCE)
    return await use({
      world,
      proxies,
      posts,
      async ledBy({ nodeId }) {
        const leaders = await leadersOf(kafka.brokers, world.topics.topic, PARTITIONS)
        return ALL.filter((partition) => leaders[partition] === nodeId)
      },
    })
  } finally {
    service?.kill('SIGTERM')
    await service?.exited
    await Promise.all(proxies.map((proxy) => proxy.close()))
    await world.close()
  }
}

/** Posts to the partitions of others while one broker cannot be reached, from the first moment on. */
async function measureRefused({ proxies, posts }: Ingest): Promise<Figures> {
  const [, proxy] = proxies
  await proxy?.refuse()
  // Those of which nothing is accepted are led by it.
  const { statuses } = await posts.post(ALL)
  const reached = ALL.filter((partition) => statuses.get(partition) === 'accepted')
  const lost = ALL.filter((partition) => !reached.includes(partition))
  await proxy?.accept()
  await eventually('all partitions accept events', async () => (await posts.post(ALL)).status === 202, PATIENCE)
  await proxy?.refuse()
  const [figures] = await Promise.all([postSteadily(posts, reached), postSteadily(posts, lost)])
  await proxy?.accept()
  await eventually('all partitions accept events', async () => (await posts.post(ALL)).status === 202, PATIENCE)
  return figures
}

/** Posts to all partitions from a second after the controller has given the broker's partitions to others. */
async function measureSurvivors(
  { posts, ledBy }: Ingest,
  broker: ExtraBroker,
  act: { readonly away: () => Promise<void>; readonly back: () => Promise<void> },
): Promise<Figures> {
  await act.away()
  await eventually('the broker leads no partition', async () => (await ledBy(broker)).length === 0, PATIENCE)
  await wait(SETTLED_MS)
  const figures = await postSteadily(posts, ALL)
  await act.back()
  await eventually('all partitions accept events', async () => (await posts.post(ALL)).status === 202, PATIENCE)
  return figures
}

/** Posts to the partitions that only the dead broker has, and to all others. */
async function measureDead(
  { posts, ledBy }: Ingest,
  broker: ExtraBroker,
): Promise<{ readonly refusedP99Ms: number; readonly othersP99Ms: number; readonly othersRefused: number }> {
  const lost = await ledBy(broker)
  const others = ALL.filter((partition) => !lost.includes(partition))
  await broker.kill()
  await eventually('the lost partitions refuse events', async () => (await posts.post(lost)).status === 503, PATIENCE)
  const [refused, written] = await Promise.all([postSteadily(posts, lost), postSteadily(posts, others)])
  if (refused.accepted > 0) throw new Error('a partition without a replica was written to')
  await broker.start()
  return { refusedP99Ms: refused.p99Ms, othersP99Ms: written.p99Ms, othersRefused: written.refused }
}

interface Figures {
  readonly p99Ms: number
  readonly accepted: number
  readonly refused: number
}

/** Each partition gets an event every 100 ms, whether or not earlier ones succeeded. */
async function postSteadily(posts: PartitionPosts, partitions: readonly number[]): Promise<Figures> {
  const endMs = performance.now() + WINDOW_MS
  const answers: Promise<PartitionAnswer>[] = []
  while (performance.now() < endMs) {
    for (const partition of partitions) answers.push(posts.post([partition]))
    await wait(EVERY_MS)
  }
  const all = await Promise.all(answers)
  const accepted = all.filter(({ status }) => status === 202).length
  return {
    p99Ms: percentile(
      all.map(({ ms }) => ms),
      0.99,
    ),
    accepted,
    refused: all.length - accepted,
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
