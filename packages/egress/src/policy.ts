import ipaddr from 'ipaddr.js'

/** What may be dialled beyond the default of public addresses over https. Made by `createEgressPolicy`. */
export interface EgressPolicy {
  /** http as well as https, and loopback addresses: for development. */
  readonly allowHttp: boolean
  /** Ranges that are open although they are not public. */
  readonly allowed: readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[]
}

/**
 * A policy from settings: `allowHttp` is WEBHOOK_ALLOW_HTTP, `allowCidrs` the parts of WEBHOOK_ALLOW_CIDRS
 * (`10.1.0.0/16`, `fd00::/8`). Throws RangeError that names a range that cannot be read.
 */
export function createEgressPolicy(o: { allowHttp: boolean; allowCidrs?: readonly string[] }): EgressPolicy {
  const allowed = (o.allowCidrs ?? []).map((cidr) => {
    if (!ipaddr.isValidCIDR(cidr)) throw new RangeError(`not an address range: ${cidr}`)
    return ipaddr.parseCIDR(cidr)
  })
  return { allowHttp: o.allowHttp, allowed }
}
