import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, redisCommand, type ExtraBroker, type startOwnStack } from '@ariftly/testkit'
import type { Replica } from '../faults/fleet.ts'
import { nameOf, PARTS, type PartName, type SystemFault } from './fault-plan.ts'
import type { FaultSpan } from './recovery.ts'
import { isStopped } from './is-stopped.ts'
import type { BackWays, FrontWays } from './ways.ts'

/** What there is to be broken. */
export interface Victims {
  readonly stack: Awaited<ReturnType<typeof startOwnStack>>
  /** Brokers in addition to the stack's. */
  readonly brokers: readonly ExtraBroker[]
  readonly replicas: readonly Replica[]
  readonly back: BackWays
  readonly front: FrontWays
}

/** Injects faults and ends them. */
export interface Injector {
  /**
   * Carries out one fault and resolves when it is over; waits while another fault has the same victim.
   * @throws Error when the fault had no effect: a process that is not stopped, a way without a connection to cut.
   */
  inject(fault: SystemFault): Promise<FaultSpan>
  /** Continues all stopped processes: the test is over. */
  release(): void
}

export function createInjector({ stack, brokers, replicas, back, front }: Victims): Injector {
  const held = new Map<string, Promise<unknown>>()

  async function inject(fault: SystemFault): Promise<FaultSpan> {
    return await inTurn(victimsOf(fault), async () => {
      const fromMs = Date.now()
      const endMs = await carryOut(fault)
      return { name: nameOf(fault), fromMs, endMs: endMs ?? fromMs }
    })
  }

  /** One after another for each victim. */
  async function inTurn<T>(victims: readonly string[], act: () => Promise<T>): Promise<T> {
    const acting = Promise.all(victims.map((victim) => held.get(victim) ?? Promise.resolve())).then(act)
    const over = acting.catch(() => undefined)
    for (const victim of victims) held.set(victim, over)
    return await acting
  }

  /** Resolves with the moment when the fault ended. Of a process that is started again it is the moment when it went. */
  async function carryOut(fault: SystemFault): Promise<number | undefined> {
    switch (fault.kind) {
      case 'kill':
      case 'terminate':
        await Promise.all(replicasOf(fault).map((replica) => startAgain(replica, fault)))
        return undefined
      case 'stop':
        await Promise.all(replicasOf(fault).map((replica) => standStill(replica, fault.lastsMs)))
        return Date.now()
      case 'killPart':
        await partOf(fault.part).kill()
        await sleep(fault.lastsMs)
        await partOf(fault.part).start()
        return Date.now()
      case 'freeze':
        await freezePart(fault.part, fault.lastsMs)
        return Date.now()
      case 'flush':
        await redisCommand(partOf('redis').port, 'FLUSHALL')
        return undefined
      case 'cut':
        await (fault.way === 'clients' ? cutClients(fault.lastsMs) : cutBack(fault.way, fault.bytes, fault.lastsMs))
        return Date.now()
      case 'swallow':
        await untilUsed(fault.way)
        back.ways[fault.way].freeze()
        await sleep(fault.lastsMs)
        back.ways[fault.way].resume()
        return Date.now()
      case 'killBroker':
        await loseBroker(brokerOf(fault.broker), fault.lastsMs)
        return Date.now()
      case 'freezeBroker':
        await freeze(brokerOf(fault.broker), fault.lastsMs)
        return Date.now()
      case 'loseTwoBrokers':
        await Promise.all([loseBroker(brokerOf(0), fault.lastsMs), freeze(brokerOf(1), fault.lastsMs)])
        return Date.now()
      case 'refuse':
        await back.brokers[fault.broker]?.refuse()
        await sleep(fault.lastsMs)
        await back.brokers[fault.broker]?.accept()
        return Date.now()
    }
  }

  function brokerOf(index: number): ExtraBroker {
    const broker = brokers[index]
    if (broker === undefined) throw new Error(`there is no broker ${index} in addition to the first`)
    return broker
  }

  function replicasOf({ service, replicas: indices }: Extract<SystemFault, { service: string }>): readonly Replica[] {
    return replicas.filter((replica) => replica.service === service).filter((_, index) => indices.includes(index))
  }

  function partOf(name: PartName) {
    const part = stack[name]
    if (part === undefined) throw new Error(`the stack has no ${name}`)
    return part
  }

  async function freezePart(name: PartName, lastsMs: number): Promise<void> {
    const part = partOf(name)
    await freeze({ pid: () => part.pid, pause: () => part.pause(), resume: () => part.resume() }, lastsMs)
  }

  async function cutClients(lastsMs: number): Promise<void> {
    await eventually('a client is connected', () => front.connections() > 0)
    front.setCutting(true)
    front.dropAll()
    await sleep(lastsMs)
    front.setCutting(false)
  }

  async function cutBack(name: PartName, bytes: number, lastsMs: number): Promise<void> {
    await untilUsed(name)
    back.ways[name].cutAfterBytes(bytes)
    back.ways[name].dropAll()
    await sleep(lastsMs)
    back.ways[name].cutAfterBytes(undefined)
  }

  async function untilUsed(name: PartName): Promise<void> {
    await eventually(`${name} has a connection`, () => back.ways[name].connections > 0)
  }

  return {
    inject,
    release() {
      for (const replica of replicas) replica.signal('SIGCONT')
      for (const broker of brokers) broker.resume()
      for (const name of PARTS) {
        stack[name]?.resume()
        back.ways[name].resume()
      }
    },
  }
}

function victimsOf(fault: SystemFault): readonly string[] {
  if ('service' in fault) return fault.replicas.map((index) => `${fault.service}-${index}`)
  if ('part' in fault) return [fault.part]
  switch (fault.kind) {
    case 'flush':
      return ['redis']
    case 'killBroker':
    case 'freezeBroker':
      return [`broker ${fault.broker}`]
    case 'loseTwoBrokers':
      return ['broker 0', 'broker 1']
    case 'refuse':
      return ['way to kafka']
    case 'cut':
    case 'swallow':
      return [`way to ${fault.way}`]
  }
}

async function loseBroker(broker: ExtraBroker, lastsMs: number): Promise<void> {
  await broker.kill()
  await sleep(lastsMs)
  await broker.start()
}

async function freeze(victim: Pick<ExtraBroker, 'pid' | 'pause' | 'resume'>, lastsMs: number): Promise<void> {
  victim.pause()
  await eventually('the process is stopped', () => isStopped(victim.pid()))
  await sleep(lastsMs)
  victim.resume()
}

const KILLED = 137

async function startAgain(replica: Replica, fault: Pick<SystemFault, 'kind' | 'lastsMs'>): Promise<void> {
  const code = await (fault.kind === 'kill' ? replica.kill() : replica.stop())
  const expected = fault.kind === 'kill' ? KILLED : 0
  if (code !== expected) {
    throw new Error(`${replica.name} ended with ${code}, not ${expected}:\n${replica.output().slice(-2000)}`)
  }
  await sleep(fault.lastsMs)
  await replica.restart()
}

async function standStill(replica: Replica, lastsMs: number): Promise<void> {
  replica.signal('SIGSTOP')
  await eventually('the process is stopped', () => isStopped(replica.pid()))
  await sleep(lastsMs)
  replica.signal('SIGCONT')
}
