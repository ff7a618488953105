import type { ServiceName } from './fleet.ts'
import type { Installation } from './installation.ts'

/** The services that read or write the log, with the prefix of their metrics. */
export const LOG_USERS = {
  ingest: 'ariftly_ingest',
  projector: 'ariftly_projector',
  'stream-gateway': 'ariftly_stream_gateway',
  'webhook-worker': 'ariftly_webhook_matcher',
} as const satisfies Partial<Record<ServiceName, string>>

/** What a service says of its log: whether it is ready, the body of `/readyz`, and its metric. */
export interface LogState {
  readonly ready: boolean
  readonly body: string
  /** The value of `<service>_log_fault{code="log_identity_changed"}`. */
  readonly fault: number | undefined
}

/** Reads a service's state of its log. */
export async function logStateOf(
  installation: Pick<Installation, 'urls'>,
  service: keyof typeof LOG_USERS,
): Promise<LogState> {
  const url = installation.urls[service]
  const [ready, metrics] = await Promise.all([fetch(`${url}/readyz`), fetch(`${url}/metrics`)])
  const value = new RegExp(`^${LOG_USERS[service]}_log_fault\\{code="log_identity_changed"\\} (\\d)`, 'm').exec(
    await metrics.text(),
  )?.[1]
  return { ready: ready.ok, body: await ready.text(), fault: value === undefined ? undefined : Number(value) }
}
