import { startCuttingProxy, startReceiver, type CuttingProxy, type Receiver } from '@ariftly/testkit'
import { createWorkerWorld, type WorkerWorld } from './worker-world.ts'

/** Parts for workers that lose answers of Postgres. */
export interface CutWorld {
  readonly fixture: WorkerWorld
  readonly receiver: Receiver
  /** Between a worker with `DATABASE_URL` as here and Postgres. */
  readonly way: CuttingProxy
  readonly env: { readonly DATABASE_URL: string }
  readonly close: () => Promise<void>
}

/** Starts everything but a worker; the environment is for workers. */
export async function createCutWorld(env: Readonly<Record<string, string>> = {}): Promise<CutWorld> {
  const fixture = await createWorkerWorld(env)
  const receiver = await startReceiver()
  const url = new URL(fixture.world.env['DATABASE_URL'] ?? '')
  const way = await startCuttingProxy({ host: url.hostname, port: Number(url.port) })
  url.port = String(way.port)

  async function close(): Promise<void> {
    await fixture.close()
    await receiver.close()
    await way.close()
  }

  return { fixture, receiver, way, env: { DATABASE_URL: url.href }, close }
}
