import type { IncomingMessage } from 'node:http'
import { EVENT_TYPES, isEventType } from '@ariftly/events'
import {
  booleanParam,
  identifierParam,
  instantParam,
  listParam,
  Problem,
  readBody,
  readQuery,
  textParam,
  type QueryOf,
} from '@ariftly/http'

const FORM_BYTES_MAX = 16 * 1024

/** The parameters of `/v1/events/stream`, in the query or, with POST, in a form. */
const streamParameters = {
  task_id: identifierParam(),
  session_id: identifierParam(),
  agent: identifierParam(),
  types: listParam({ is: isEventType, shape: `a comma list of event types, none twice: ${EVENT_TYPES.join(', ')}` }),
  envelope: booleanParam(false),
  after: instantParam(),
  last_event_id: textParam({ pattern: /^[\x21-\x7e]{1,16000}$/, shape: 'an id that this stream sent' }),
  token: textParam({ pattern: /^[\x21-\x7e]{1,8000}$/, shape: 'a stream token' }),
} as const

/** The values of {@link streamParameters}. */
export type StreamParameters = QueryOf<typeof streamParameters>

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
  refuseBoth(query, form)
  return readQuery(`?${query === '' ? form : `${query}&${form}`}`, streamParameters)
}

async function readForm(req: IncomingMessage): Promise<string> {
  const { 'content-encoding': encoding, 'content-type': type } = req.headers
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem(415, 'unsupported_encoding', { detail: 'Send the form without Content-Encoding.' })
  }
  const body = await readBody(req, FORM_BYTES_MAX)
  if (body.length > 0 && !/^application\/x-www-form-urlencoded\s*(;.*)?$/i.test(type ?? '')) {
    throw new Problem(415, 'unsupported_media_type', {
      detail: 'Send the parameters as application/x-www-form-urlencoded, or in the query with an empty body.',
    })
  }
  return body.toString('utf8')
}

function refuseBoth(query: string, form: string): void {
  const inForm = new URLSearchParams(form)
  const both = [...new Set(new URLSearchParams(query).keys())].filter((name) => inForm.has(name))
  if (both.length === 0) return
  throw new Problem(400, 'invalid_parameter', {
    detail: `Cannot read: ${both.join(', ')}.`,
    errors: both.map((parameter) => ({
      parameter,
      code: 'repeated_parameter',
      message: 'stands in the query and in the form',
    })),
  })
}
