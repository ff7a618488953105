import type { ApiHandler, RouteName } from '@ariftly/http'
import { clientGone } from './client-gone.ts'
import { mapHandlers } from './map-handlers.ts'
import type { TenantGate } from './tenant-gate.ts'

/** Handlers by route name, each of whose requests runs inside the gate. */
export function withTenantGate<N extends RouteName>(
  gate: TenantGate,
  handlers: Readonly<Record<N, ApiHandler>>,
): Readonly<Record<N, ApiHandler>> {
  return mapHandlers(handlers, (handler) => async (call, req, res) => {
    await gate(call, async () => handler(call, req, res), clientGone(res))
  })
}
