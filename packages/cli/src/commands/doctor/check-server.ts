import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { AuthenticationError } from '@ariftly/sdk'
import { VERSION } from '../../version.ts'
import { CliError } from '../../errors/cli-error.ts'
import { EXIT } from '../../errors/exit-code.ts'
import { proxyOf } from '../../settings/proxy-fetch.ts'
import { passed, reasonOf, skipped, type Check, type Findings } from './check.ts'

/** How long the server may take. */
const TIMEOUT_MS = 10_000
/** `Date` counts seconds, and the answer takes its time. */
const CLOCK_OK_MS = 5000
/** How far the time of an event may be ahead of the server's. */
const CLOCK_MAX_MS = 5 * 60_000
const SCOPES = ['events:write', 'events:read', 'webhooks']

/** Which server and which key are used, and whether the key may go there. */
export async function checkSettings(findings: Findings): Promise<Check> {
  try {
    const server = await findings.context.server()
    findings.server = server
    findings.client = await findings.context.client({ maxRetries: 0, totalTimeoutMs: TIMEOUT_MS })
    return passed('settings', `${server.url}, key of ${server.keySource}`)
  } catch (error) {
    const remedy = error instanceof CliError ? error.remedy : undefined
    findings.needsKey = error instanceof CliError && error.exit === EXIT.needsKey
    return { check: 'settings', status: 'failed', detail: reasonOf(error), ...(remedy === undefined ? {} : { remedy }) }
  }
}

/** Whether the server answers, by its index, which needs no key. */
export async function checkServer(findings: Findings): Promise<Check> {
  const { server, context } = findings
  if (server === undefined) return skipped('server', 'There is no server to ask.')
  const dialled = noteDialled(findings)
  try {
    const startedMs = context.now()
    const response = await context.fetch(`${server.url}/`, {
      redirect: 'manual',
      headers: { accept: 'application/json' },
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    const tookMs = context.now() - startedMs
    const dateMs = Date.parse(response.headers.get('date') ?? '')
    if (!Number.isNaN(dateMs)) findings.clockAheadMs = dateMs + 500 - (startedMs + tookMs / 2)
    const index = (await response.json()) as { readonly name?: unknown; readonly version?: unknown }
    if (response.status !== 200 || typeof index.version !== 'string') throw new Error(`It answers ${response.status}.`)
    findings.isReachable = true
    findings.serverVersion = index.version
    return passed('server', `It answers within ${tookMs} ms.`)
  } catch (error) {
    context.signal.throwIfAborted()
    const cause = error instanceof Error && error.cause !== undefined ? `: ${reasonOf(error.cause)}` : ''
    return {
      check: 'server',
      status: 'failed',
      detail: `${server.url} does not answer as the API does: ${reasonOf(error)}${cause}`,
      remedy: 'Check the URL, proxies and firewalls between, and whether the server runs.',
    }
  } finally {
    dialled.stop()
  }
}

/** Which proxy is between, as was seen when the server was called. */
export function checkProxy({ server, context, dialled }: Findings): Check {
  if (server === undefined) return skipped('proxy', 'There is no server to ask.')
  const url = new URL(server.url)
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy'].filter((name) => context.env[name])
  if (names.length === 0) return passed('proxy', 'None: neither HTTPS_PROXY nor HTTP_PROXY is set.')
  const proxy = proxyOf(url, context.env)
  if (proxy !== undefined && dialled !== undefined && dialled !== url.host) {
    return passed('proxy', `${dialled}, of ${proxy.name}`)
  }
  return passed('proxy', `Not used for ${url.host}: ${names.join(' and ')} is for others, or NO_PROXY names this one.`)
}

/** Notes what is dialled: of a tunnel the proxy is the last one. */
function noteDialled(findings: Findings): { readonly stop: () => void } {
  const note = (message: unknown) => {
    findings.dialled = (message as { readonly connectParams: { readonly host: string } }).connectParams.host
  }
  // Of undici, as the platform's `fetch` has it too.
  subscribe('undici:client:beforeConnect', note)
  return { stop: () => void unsubscribe('undici:client:beforeConnect', note) }
}

/** Whether the key is known. */
export async function checkKeyKnown(findings: Findings): Promise<Check> {
  const { client, context, isReachable } = findings
  if (client === undefined || isReachable !== true) return skipped('key', 'There is no server to ask.')
  try {
    const key = await client.apiKeys.current({ signal: context.signal })
    findings.key = key
    const end = key.expires_at === null ? 'without an end' : `until ${key.expires_at}`
    return passed('key', `${key.id} of the tenant ${key.tenant}, ${end}`)
  } catch (error) {
    context.signal.throwIfAborted()
    const isRefused = error instanceof AuthenticationError
    findings.needsKey = isRefused
    const remedy = isRefused ? 'Use a key that is valid: ariftly login' : 'Try again later.'
    return { check: 'key', status: 'failed', detail: reasonOf(error), remedy }
  }
}

/** Checks the scopes of the key. */
export function checkScopes({ key }: Findings): Check {
  if (key === undefined) return skipped('scopes', 'The key is not known.')
  const missing = SCOPES.filter((scope) => !(key.scopes as readonly string[]).includes(scope))
  if (missing.length === 0) return passed('scopes', key.scopes.join(', '))
  return {
    check: 'scopes',
    status: 'warning',
    detail: `It has ${key.scopes.join(', ')}, not ${missing.join(', ')}.`,
    remedy: `Commands that need them end with exit code 4: use a key with ${missing.join(', ')}.`,
  }
}

/** Whether this machine's clock agrees with the server's: the id of an event holds its time. */
export function checkClock({ clockAheadMs }: Findings): Check {
  if (clockAheadMs === undefined) return skipped('clock', 'The server gave no time.')
  const offMs = Math.round(Math.abs(clockAheadMs))
  const detail = `This machine is ${(offMs / 1000).toFixed(1)} s ${clockAheadMs > 0 ? 'behind' : 'ahead of'} the server.`
  if (offMs <= CLOCK_OK_MS) return passed('clock', 'It agrees with the server.')
  const remedy = 'Set the clock by NTP. Events whose time is over 5 minutes ahead are refused.'
  return { check: 'clock', status: offMs > CLOCK_MAX_MS ? 'failed' : 'warning', detail, remedy }
}

/** Whether this program and the server are of one version. */
export function checkVersions({ serverVersion }: Findings): Check {
  const node = process.versions.node
  const own = `ariftly ${VERSION}, Node ${node}`
  if (serverVersion === undefined) return passed('versions', own)
  const [major] = serverVersion.split('.')
  if (major === VERSION.split('.')[0]) return passed('versions', `${own}, server ${serverVersion}`)
  return {
    check: 'versions',
    status: 'warning',
    detail: `${own}, server ${serverVersion}`,
    remedy: `Install the command line of version ${major}.`,
  }
}
