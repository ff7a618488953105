import type { ApiHandler } from '@ariftly/http'
import { clientGone } from './client-gone.ts'
import type { TenantGate } from './tenant-gate.ts'

/** Handlers by route name, each of whose requests runs inside the gate. */
export function withTenantGate<N extends string>(
  gate: TenantGate,
  handlers: Readonly<Record<N, ApiHandler>>,
): Readonly<Record<N, ApiHandler>> {
  const gated = Object.entries<ApiHandler>(handlers).map(([name, handler]) => [name, passing(gate, handler)])
  return Object.fromEntries(gated) as Record<N, ApiHandler>
}

function passing(gate: TenantGate, handler: ApiHandler): ApiHandler {
  return async function passGate(call, req, res) {
    await gate(call.caller.tenant, async () => handler(call, req, res), clientGone(res))
  }
}
