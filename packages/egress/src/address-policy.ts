import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { EgressPolicy } from './policy.ts'

/** Whether an address may be dialled; `reason` names its range, for the attempt's detail. */
export type AddressVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** Public addresses that clouds answer on inside every virtual machine: Azure's wire server. */
const CLOUD_SERVICES: ReadonlySet<string> = new Set(['168.63.129.16'])
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Checks one resolved address (as `net.connect` takes it). Only public unicast passes: private, CGNAT, link-local (and so every
 * metadata service), loopback, multicast, documentation, NAT64, 6to4, Teredo, v4-compatible `::/96` and Azure's wire server are
 * refused; a v4-mapped address counts as its v4. `policy.allowed` opens ranges, `policy.allowHttp` opens loopback.
 */
export function checkAddress(address: string, policy: EgressPolicy): AddressVerdict {
  if (isIP(address) === 0 || address.includes('%')) return { ok: false, reason: 'not_an_address' }
  const parsed = ipaddr.process(address)
  if (policy.allowed.some(([range, bits]) => range.kind() === parsed.kind() && parsed.match(range, bits))) {
    return { ok: true }
  }
  if (CLOUD_SERVICES.has(parsed.toString())) return { ok: false, reason: 'cloud_service' }
  const range = parsed.range()
  if (policy.allowHttp && range === 'loopback') return { ok: true }
  if (range !== 'unicast') return { ok: false, reason: range }
  // Only 2000::/3 is public; this covers ranges that lists of special ones omit (::/96, fec0::/10).
  if (parsed.kind() === 'ipv6' && !parsed.match(...GLOBAL_UNICAST)) return { ok: false, reason: 'reserved' }
  return { ok: true }
}
