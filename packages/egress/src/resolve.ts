import { readFileSync } from 'node:fs'
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'

/** An address that a name resolved to. */
export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Looks a host name up, once; v4 addresses first. Rejects when there is no answer. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>

/** How long the AAAA answer may lag behind a good A answer (RFC 8305, section 3). */
const V6_LAG_MS = 50

/**
 * The resolver of production: the hosts file, then DNS through c-ares (2 attempts of 2.5 s). Not `dns.lookup`: one receiver's
 * dead name server would block its four threads and so all look-ups. Addresses of the hosts file that may not be dialled are
 * left out, so that their names take as long as names that do not exist.
 */
export function createResolver(o: {
  readonly mayReach: (address: string) => boolean
  /** Default: `/etc/hosts`. */
  readonly hostsFile?: string
  /** Name servers as `address:port`; default: the system's. */
  readonly servers?: readonly string[]
}): Resolve {
  const resolver = new Resolver({ timeout: 2500, tries: 2 })
  if (o.servers !== undefined) resolver.setServers(o.servers)
  const hosts = readHosts(o.hostsFile ?? '/etc/hosts', o.mayReach)
  return async function resolveHost(hostname) {
    const name = hostname.toLowerCase().replace(/\.$/, '')
    const known = hosts.get(name)
    if (known !== undefined) return known
    const v4 = resolver.resolve4(name).then((list) => list.map((address) => ({ address, family: 4 as const })))
    const v6 = resolver.resolve6(name).then((list) => list.map((address) => ({ address, family: 6 as const })))
    const lagging = v6.catch(() => [])
    const first = await v4.catch(() => undefined)
    if (first === undefined) return v6
    const second = await withinMs(lagging, V6_LAG_MS)
    return [...first, ...(second ?? [])]
  }
}

function readHosts(
  file: string,
  mayReach: (address: string) => boolean,
): ReadonlyMap<string, readonly ResolvedAddress[]> {
  const hosts = new Map<string, ResolvedAddress[]>()
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return hosts // Not every system has one.
  }
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const family = address === undefined ? 0 : isIP(address)
    if (address === undefined || family === 0 || !mayReach(address)) continue
    for (const name of names) {
      const list = hosts.get(name.toLowerCase()) ?? []
      list.push({ address, family: family === 4 ? 4 : 6 })
      hosts.set(name.toLowerCase(), list)
    }
  }
  return hosts
}

async function withinMs<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
