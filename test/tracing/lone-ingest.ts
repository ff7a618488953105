import { createWorld, type ServiceProcess } from '@ariftly/testkit'

/** Ingest as a process of its own, in a world of its own. */
export interface LoneIngest {
  readonly process: ServiceProcess
  /** Posts single events at the same time and gives the statuses. */
  post(count: number): Promise<readonly number[]>
  /** Kills it, if it still runs. */
  close(): Promise<void>
}

/** Starts it; `env` overrides the world's settings. */
export async function startLoneIngest(env: Readonly<Record<string, string>>): Promise<LoneIngest> {
  const world = await createWorld({ partitions: 3, env: { SHUTDOWN_DELAY_MS: '0', ...env } })
  const ingest = await world.startService('ingest')
  const key = await world.apiKey('default')
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const request = { method: 'POST', body: '{"type":"task.created","task_id":"t","data":{}}', headers }
  return {
    process: ingest,
    async post(count) {
      const answers = Array.from({ length: count }, () => fetch(`${ingest.url}/v1/events`, request))
      return (await Promise.all(answers)).map(({ status }) => status)
    },
    close: () => world.close(),
  }
}
