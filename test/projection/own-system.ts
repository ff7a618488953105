import { createWorld, startOwnStack, type ServiceProcess, type World } from '@ariftly/testkit'

/** Ingest and projector as processes, on a stack of their own whose parts may be disturbed. */
export interface OwnSystem {
  readonly stack: Awaited<ReturnType<typeof startOwnStack>>
  readonly world: World
  readonly ingest: ServiceProcess
  readonly projector: ServiceProcess
  /** Of tenant `acme`. */
  readonly apiKey: string
  close(): Promise<void>
}

/** Starts them; if one fails, the others are stopped. */
export async function startOwnSystem(env: Readonly<Record<string, string>> = {}): Promise<OwnSystem> {
  const stack = await startOwnStack()
  const closers: (() => Promise<unknown>)[] = [() => stack.close()]

  async function close(): Promise<void> {
    for (const one of closers.splice(0).toReversed()) await one()
  }

  try {
    const world = await createWorld({ addresses: stack.addresses, env })
    closers.push(() => world.close())
    const apiKey = await world.apiKey('acme')
    const ingest = await world.startService('ingest')
    const projector = await world.startService('projector')
    return { stack, world, ingest, projector, apiKey, close }
  } catch (error) {
    await close()
    throw error
  }
}
