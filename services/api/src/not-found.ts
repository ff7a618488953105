import { parseTypeId } from '@ariftly/events'
import { Problem } from '@ariftly/http'

/** 404 for an object that does not exist or is another tenant's: the caller cannot see which. */
export function notFound(what: (typeof THINGS)[keyof typeof THINGS] | 'API key' | 'tenant' | 'file'): Problem {
  return new Problem(404, 'not_found', { detail: `There is no such ${what}.` })
}

/** Things by the prefix of their ids. */
const THINGS = { evt: 'event', whk: 'webhook', dlv: 'delivery', rpl: 'replay', rdl: 'redelivery' } as const

/** The id of a thing that a path names. @throws Problem 404 for a text that can be no such id. */
export function pathId(prefix: keyof typeof THINGS, id = ''): string {
  if (parseTypeId(prefix, id) === undefined) throw wrongKind(prefix, id) ?? notFound(THINGS[prefix])
  return id
}

/** The same, for an id of another kind of thing. */
function wrongKind(prefix: keyof typeof THINGS, id: string): Problem | undefined {
  const found = Object.entries(THINGS).find(([other]) => parseTypeId(other, id) !== undefined)
  if (found === undefined) return undefined
  const detail = `The id of the path is of kind ${found[1]}; that of kind ${THINGS[prefix]} begins with ${prefix}_.`
  return new Problem(404, 'not_found', { detail })
}
