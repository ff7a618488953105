import { Problem } from '@ariftly/http'

/** 404 for something that is not there, or is another tenant's: the caller cannot tell which. */
export function notFound(
  what: 'event' | 'webhook' | 'delivery' | 'replay' | 'redelivery' | 'API key' | 'tenant' | 'file',
): Problem {
  return new Problem(404, 'not_found', { detail: `There is no such ${what}.` })
}
