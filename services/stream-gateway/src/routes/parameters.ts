import type { IncomingMessage } from 'node:http'
import { EVENT_TYPES, isEventType } from '@ariftly/events'
import {
  booleanParam,
  filterParams,
  instantParam,
  listParam,
  Problem,
  readBody,
  readQuery,
  textParam,
  type QueryOf,
  unsupportedMediaType,
} from '@ariftly/http'

const FORM_BYTES_MAX = 16 * 1024

/** The parameters of `/v1/events/stream`, in the query or, with POST, in a form. */
const streamParameters = {
  ...filterParams,
  types: listParam({ is: isEventType, shape: `a comma list of event types, none twice: ${EVENT_TYPES.join(', ')}` }),
  envelope: booleanParam(false),
  after: instantParam(),
  last_event_id: textParam({ pattern: /^[\x21-\x7e]{1,16000}$/, shape: 'an id that this stream sent' }),
  token: textParam({ pattern: /^[\x21-\x7e]{1,8000}$/, shape: 'a stream token' }),
} as const

/** The values of {@link streamParameters}. */
export type StreamParameters = QueryOf<typeof streamParameters>

/**
 * The text of the parameter `token` in a URL's query, found in one pass without reading any other parameter; undefined when
 * there is none. Of several the first is taken: they are refused when the parameters are read.
 */
export function queryToken(url: string): string | undefined {
  const start = url.indexOf('?')
  if (start === -1) return undefined
  for (let at = start + 1; at <= url.length;) {
    const next = url.indexOf('&', at)
    const end = next === -1 ? url.length : next
    if (url.startsWith('token=', at)) return decoded(url.slice(at + 'token='.length, end))
    at = end + 1
  }
  return undefined
}

/** What is no percent-encoding is no token of ours either. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/**
 * Reads the parameters of a request, from the query and (POST) the form. Problems: 400 names each parameter that is
 * unknown, empty, repeated (also between query and form) or ill-formed; 413 above 16 KiB; 415 for a body that is no form.
 */
export async function readStreamParameters(req: IncomingMessage): Promise<StreamParameters> {
  const url = req.url ?? ''
  const form = req.method === 'POST' ? await readForm(req) : ''
  if (form === '') return readQuery(url, streamParameters)
  const start = url.indexOf('?')
  const query = start === -1 ? '' : url.slice(start + 1)
  // A name in both is then a repeated parameter, which is refused.
  return readQuery(`?${query === '' ? form : `${query}&${form}`}`, streamParameters)
}

async function readForm(req: IncomingMessage): Promise<string> {
  const { 'content-encoding': encoding, 'content-type': type } = req.headers
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem(415, 'unsupported_encoding', { detail: 'Send the form without Content-Encoding.' })
  }
  const body = await readBody(req, FORM_BYTES_MAX)
  if (body.length > 0 && !/^application\/x-www-form-urlencoded\s*(;.*)?$/i.test(type ?? '')) {
    throw unsupportedMediaType(
      type,
      'application/x-www-form-urlencoded, or the parameters in the query with an empty body',
    )
  }
  return body.toString('utf8')
}
