import { SERVICES, type ServiceName } from '../faults/fleet.ts'

/** The servers behind the services. */
export const PARTS = ['kafka', 'postgres', 'redis'] as const
export type PartName = (typeof PARTS)[number]

/** What one fault does. `lastsMs` is how long a process stays down or stopped, and how long a connection stays bad. */
type Act =
  | {
      readonly kind: 'kill' | 'stop' | 'terminate'
      readonly service: ServiceName
      readonly replicas: readonly number[]
    }
  | { readonly kind: 'killPart' | 'freeze'; readonly part: PartName }
  | { readonly kind: 'flush' }
  | { readonly kind: 'cut'; readonly way: PartName | 'clients'; readonly bytes: number }
  | { readonly kind: 'swallow'; readonly way: PartName }
  | BrokerAct

/** Faults of a cluster of three: `broker` is an index among the brokers that may be killed, `way` among all. */
type BrokerAct =
  | { readonly kind: 'killBroker' | 'freezeBroker'; readonly broker: number }
  | { readonly kind: 'loseTwoBrokers' }
  | { readonly kind: 'refuse'; readonly broker: number }

/** Brokers of three that may be killed and frozen; the first one is the controller and stays. */
const BROKERS_KILLED = 2
const BROKERS = 3

/** One fault of the whole system, at a moment of its run. */
export type SystemFault = Act & { readonly atMs: number; readonly lastsMs: number }

/** Its name in the table of recovery times. */
export function nameOf(fault: SystemFault): string {
  switch (fault.kind) {
    case 'kill':
      return `SIGKILL of ${fault.replicas.length > 1 ? 'all' : 'one'} ${fault.service}`
    case 'stop':
      return `SIGSTOP of one ${fault.service}`
    case 'terminate':
      return `SIGTERM to one ${fault.service}`
    case 'killPart':
      return `SIGKILL of ${fault.part}`
    case 'freeze':
      return `SIGSTOP of ${fault.part}`
    case 'flush':
      return 'FLUSHALL of redis'
    case 'cut':
      return `connections cut: ${fault.way}`
    case 'swallow':
      return `network swallows: ${fault.way}`
    case 'killBroker':
      return 'SIGKILL of one broker of three'
    case 'freezeBroker':
      return 'SIGSTOP of one broker of three'
    case 'loseTwoBrokers':
      return 'SIGKILL of one, SIGSTOP of another'
    case 'refuse':
      return 'one broker refuses services'
  }
}

/** Approximate duration of a round in a long run, which has every kind of fault once. */
const ROUND_MS = 200_000

/**
 * All faults of a run in order, the same for the same random numbers: at least one round, and as many as make a round closest to
 * three minutes and twenty seconds. Each round has every kind once, in its own order. Durations and pauses are scaled so that the
 * rounds fill the run.
 */
export function planFaults(o: {
  readonly random: () => number
  readonly durationMs: number
  readonly replicas: number
  /** 1, or 3 with three replicas of each partition, of which two must be in sync. */
  readonly brokers?: 1 | 3
}): readonly SystemFault[] {
  const rounds = Math.max(1, Math.round(o.durationMs / ROUND_MS))
  const drawn = Array.from({ length: rounds }, () => drawRound(o.random, o.replicas, o.brokers ?? 1)).flat()
  const naturalMs = drawn.reduce((sum, { lastsMs, calmMs }) => sum + lastsMs + calmMs, FIRST_CALM_MS)
  const pace = o.durationMs / naturalMs
  let atMs = FIRST_CALM_MS
  return drawn.map(({ act, lastsMs, calmMs }) => {
    const fault = { ...act, atMs: Math.round(atMs * pace), lastsMs: Math.round(lastsMs * pace) }
    atMs += lastsMs + calmMs
    return fault
  })
}

const FIRST_CALM_MS = 8000

interface Drawn {
  readonly act: Act
  readonly lastsMs: number
  /** Pause after it, long enough in most cases for what it did to be over. */
  readonly calmMs: number
}

/** They share the partitions of the log out: what one of them held is given to the other when its session ends. */
const SHARING: readonly ServiceName[] = ['projector', 'webhook-worker']

function drawRound(random: () => number, replicas: number, brokers: 1 | 3): readonly Drawn[] {
  const between = drawBetween(random)
  const one = () => [Math.floor(random() * replicas)]
  const all = Array.from({ length: replicas }, (_, index) => index)
  // Most stops are shorter than the session of a reader, some are longer: others take over, and it wakes up as a stalled twin.
  const stopMs = () => (random() < 0.3 ? between(14_000, 18_000) : between(1000, 5000))
  const ofServices = SERVICES.flatMap((service): Drawn[] => [
    {
      act: { kind: 'kill', service, replicas: random() < 0.3 ? all : one() },
      lastsMs: between(300, 2000),
      calmMs: SHARING.includes(service) ? 12_000 : 5000,
    },
    { act: { kind: 'stop', service, replicas: one() }, lastsMs: stopMs(), calmMs: 5000 },
    { act: { kind: 'terminate', service, replicas: one() }, lastsMs: between(300, 1000), calmMs: 4000 },
  ])
  const single = brokers === 1 ? PARTS : PARTS.filter((part) => part !== 'kafka')
  const ofSingle = single.flatMap((part): Drawn[] => [
    { act: { kind: 'killPart', part }, lastsMs: between(300, 3000), calmMs: part === 'kafka' ? 30_000 : 7000 },
    { act: { kind: 'freeze', part }, lastsMs: between(2000, 12_000), calmMs: part === 'kafka' ? 14_000 : 7000 },
  ])
  const ofBrokers = brokers === 1 ? [] : drawOfBrokers(random)
  const ofWays = PARTS.flatMap((part): Drawn[] => [
    { act: { kind: 'swallow', way: part }, lastsMs: between(2000, 12_000), calmMs: 7000 },
    { act: { kind: 'cut', way: part, bytes: cutBytes(random) }, lastsMs: between(1000, 3000), calmMs: 4000 },
  ])
  const others: Drawn[] = [
    { act: { kind: 'flush' }, lastsMs: 0, calmMs: 6000 },
    { act: { kind: 'cut', way: 'clients', bytes: cutBytes(random) }, lastsMs: between(1000, 3000), calmMs: 4000 },
  ]
  return shuffle([...ofServices, ...ofSingle, ...ofBrokers, ...ofWays, ...others], random)
}

/** Some absences are shorter than the controller waits for a broker (6 s here), some are longer. */
function drawOfBrokers(random: () => number): readonly Drawn[] {
  const between = drawBetween(random)
  const one = () => Math.floor(random() * BROKERS_KILLED)
  return [
    { act: { kind: 'killBroker', broker: one() }, lastsMs: between(300, 12_000), calmMs: 12_000 },
    { act: { kind: 'freezeBroker', broker: one() }, lastsMs: between(2000, 12_000), calmMs: 10_000 },
    { act: { kind: 'loseTwoBrokers' }, lastsMs: between(2000, 12_000), calmMs: 20_000 },
    { act: { kind: 'refuse', broker: Math.floor(random() * BROKERS) }, lastsMs: between(2000, 12_000), calmMs: 7000 },
  ]
}

function drawBetween(random: () => number): (min: number, max: number) => number {
  return (min, max) => min + random() * (max - min)
}

/** 100 bytes to 100 KB, small ones as likely as large ones. */
function cutBytes(random: () => number): number {
  return Math.round(100 * 1000 ** random())
}

function shuffle<T>(list: readonly T[], random: () => number): readonly T[] {
  const keyed = list.map((entry) => ({ entry, key: random() }))
  return keyed.toSorted((a, b) => a.key - b.key).map(({ entry }) => entry)
}
