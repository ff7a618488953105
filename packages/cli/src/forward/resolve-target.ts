import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { CliError } from '../errors/cli-error.ts'

/** An address that may be dialled. */
interface TargetAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Where events are forwarded to. */
export interface ResolvedTarget {
  readonly url: URL
  /** At least one; all were checked. These are dialled: the name is not looked up again. */
  readonly addresses: readonly TargetAddress[]
}

/** Looks a name up; the system's unless a test gives its own. */
export type LookUp = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>

/**
 * Reads the URL of a target and looks its name up, once. Throws a CliError: `bad_target` for a text that is no http(s) URL and for a name without an
 * address, `target_not_local` when any of its addresses is not one of this machine's loopback interface, unless `allowRemote`.
 */
export async function resolveTarget(
  text: string,
  { allowRemote, lookUp = lookUpAll }: { readonly allowRemote: boolean; readonly lookUp?: LookUp },
): Promise<ResolvedTarget> {
  const url = readUrl(text)
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const addresses = isIP(hostname) === 0 ? await addressesOf(hostname, lookUp) : [addressOf(hostname, isIP(hostname))]
  const foreign = addresses.find((each) => !isLoopback(each))
  if (foreign !== undefined && !allowRemote) {
    const message = `${hostname} is ${foreign.address}, which is not this machine: events would leave it.`
    throw new CliError('target_not_local', message, {
      pointer: 'forward-to',
      remedy: 'Give a loopback address such as http://localhost:3000, or --allow-remote-target.',
    })
  }
  return { url, addresses }
}

/** Whether it is 127.0.0.0/8 or ::1, also as an IPv4 address within IPv6. */
function isLoopback({ address, family }: TargetAddress): boolean {
  return LOOPBACK.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw badTarget(`${text} is no http or https URL.`, 'Give one such as http://localhost:3000/hook.')
  }
  if (url.username !== '' || url.password !== '') {
    throw badTarget('The URL of the target holds a user name or a password.', 'Leave it out of the URL.')
  }
  return url
}

async function addressesOf(hostname: string, lookUp: LookUp): Promise<readonly TargetAddress[]> {
  const found = await lookUp(hostname).catch(() => [])
  if (found.length === 0) throw badTarget(`${hostname} has no address.`, 'Check its spelling.')
  return found.map(({ address, family }) => addressOf(address, family))
}

function addressOf(address: string, family: number): TargetAddress {
  return { address, family: family === 6 ? 6 : 4 }
}

async function lookUpAll(hostname: string): ReturnType<LookUp> {
  return await lookup(hostname, { all: true })
}

function badTarget(message: string, remedy: string): CliError {
  return new CliError('bad_target', message, { pointer: 'forward-to', remedy })
}
