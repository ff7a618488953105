import { isIP } from 'node:net'
import { checkAddress } from './address-policy.ts'
import type { EgressPolicy } from './policy.ts'

/** Result of `checkWebhookUrl`; `code` and `message` are fit for a 422 problem at `/url`. */
export type UrlVerdict =
  { readonly ok: true; readonly url: URL } | { readonly ok: false; readonly code: UrlFault; readonly message: string }

/** The codes of refused URLs. */
type UrlFault = 'invalid_url' | 'scheme_not_allowed' | 'credentials_not_allowed' | 'address_not_allowed'

const URL_CHARS_MAX = 2048

/**
 * Checks a webhook's URL without a look-up: at most 2,048 characters, https (http if the policy allows it), no credentials,
 * and no host that is an address (in any spelling that the WHATWG parser accepts) or a name of this machine which the policy
 * refuses. The addresses of other names are checked at each dial.
 */
export function checkWebhookUrl(text: string, policy: EgressPolicy): UrlVerdict {
  // The parser would drop tabs, line ends and outer spaces silently.
  if (text.length > URL_CHARS_MAX || /[\0-\x20\x7f]/.test(text) || !URL.canParse(text)) {
    return refuse('invalid_url', `must be an absolute URL of at most ${URL_CHARS_MAX} characters without spaces`)
  }
  const url = new URL(text)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && policy.allowHttp)) {
    return refuse('scheme_not_allowed', policy.allowHttp ? 'must be an http or https URL' : 'must be an https URL')
  }
  if (url.username !== '' || url.password !== '' || /^[^/?#\\]*:[/\\]*[^/?#\\]*@/.test(text)) {
    return refuse('credentials_not_allowed', 'must not carry a user name or password')
  }
  if (url.hostname === '' || url.port === '0')
    return refuse('invalid_url', 'must name a host and a port that can be dialled')
  const literal = hostAddress(url)
  const verdict = literal === undefined ? { ok: true as const } : checkAddress(literal, policy)
  return verdict.ok ? { ok: true, url } : refuse('address_not_allowed', `must not point at a ${verdict.reason} address`)
}

/** The address of a URL's host if it needs no look-up (an address, `localhost`); undefined for any other name. */
function hostAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) !== 0) return host
  return isLocalName(host) ? '127.0.0.1' : undefined
}

/** RFC 6761, section 6.3: `localhost` and every name below it are this machine. */
export function isLocalName(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  return name === 'localhost' || name.endsWith('.localhost')
}

function refuse(code: UrlFault, message: string): UrlVerdict {
  return { ok: false, code, message }
}
