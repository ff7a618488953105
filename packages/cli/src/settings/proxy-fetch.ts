import { CliError } from '../errors/cli-error.ts'
import { isLoopback } from './read-server.ts'

/** The variables that name a proxy, and what they hold. */
export interface ProxySettings {
  /** `HTTPS_PROXY` or `HTTP_PROXY`, as it is written in the environment. */
  readonly name: string
  readonly url: string
}

/**
 * The proxy that the environment names for a URL; `NO_PROXY` is not considered. A name in lower case wins, as with curl. Throws a CliError for a value
 * that names none; it is not in the message, as it may hold a password.
 */
export function proxyOf(url: URL, env: NodeJS.ProcessEnv): ProxySettings | undefined {
  const names = url.protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY']
  const name = names.find((each) => env[each])
  const text = name === undefined ? undefined : env[name]
  if (name === undefined || text === undefined || isLoopback(url.hostname)) return undefined
  // Without a scheme, as curl takes it.
  const proxy = text.includes('://') ? text : `http://${text}`
  if (URL.canParse(proxy) && /^(https?|socks5?):$/.test(new URL(proxy).protocol)) return { name, url: proxy }
  throw new CliError('invalid_proxy', `${name} is no URL of a proxy.`, {
    pointer: name,
    remedy: 'Give one such as http://proxy.example:3128.',
  })
}

/**
 * A `fetch` that goes through the proxy of the environment: https by CONNECT, http by its whole URL. This machine is called directly, as are the hosts
 * of `NO_PROXY`. The library for it is loaded with the first request that has a proxy.
 */
export function createProxyFetch(env: NodeJS.ProcessEnv): typeof fetch {
  let known: Promise<typeof fetch> | undefined

  async function open(): Promise<typeof fetch> {
    const { EnvHttpProxyAgent, fetch: fetchWith } = await import('undici')
    const urlOf = (protocol: string) => proxyOf(new URL(`${protocol}://a.invalid`), env)?.url ?? ''
    const dispatcher = new EnvHttpProxyAgent({
      httpProxy: urlOf('http'),
      httpsProxy: urlOf('https'),
      noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
      proxyTunnel: false,
    })
    // Its types are those of another copy of what the platform has.
    return (async (input: string, init: object) => await fetchWith(input, { ...init, dispatcher })) as typeof fetch
  }

  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (proxyOf(url, env) === undefined) return await globalThis.fetch(input, init)
    known ??= open()
    return await (
      await known
    )(url.href, init)
  }
}
