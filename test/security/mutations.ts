import { createPick } from './pool.ts'

/** Mutations of valid values. */
export interface Mutations {
  /** A text that is cut, doubled, changed in one place, or another one altogether. */
  text(text: string): string
  /** A sealed text with one character changed. */
  sealed(text: string): string
  /** A body with one member changed, taken away or added; `texts` are values to try. */
  members(body: Readonly<Record<string, unknown>>, texts: readonly string[]): Record<string, unknown>
}

const STRANGE_TEXTS = ['', '..', '../..', '%00', '\u0000', "'; DROP TABLE events; --", '{"$ne":null}', 'a'.repeat(3000)]
const STRANGE_VALUES = [null, 0, -1, 1e308, true, [], {}, [[]], '', '\u0000', '\ud800', 'x'.repeat(10_000), ['*', '*']]

/** Makes them with `random`, so that a seed gives the same ones. */
export function createMutations(random: () => number): Mutations {
  const pick = createPick(random)

  function text(given: string): string {
    const at = Math.floor(random() * given.length)
    return pick([
      () => given.slice(0, at),
      () => given + given,
      () => given.toUpperCase(),
      () => `${given.slice(0, at)}${pick(['/', '%2f', '..', '\n', '"', '\\', 'é', '0'])}${given.slice(at + 1)}`,
      () => pick(STRANGE_TEXTS),
    ])()
  }

  function sealed(given: string): string {
    const at = Math.floor(random() * (given.length - 4)) // The last character of base64 can have unused bits.
    return `${given.slice(0, at)}${given[at] === 'A' ? 'B' : 'A'}${given.slice(at + 1)}`
  }

  function members(body: Readonly<Record<string, unknown>>, texts: readonly string[]): Record<string, unknown> {
    const changed: Record<string, unknown> = { ...body }
    const name = pick([...Object.keys(body), pick(['tenant', 'tenant_id', 'scopes', 'constructor', 'extra'])])
    const value = random() < 0.5 ? pick(texts) : pick(STRANGE_VALUES)
    if (random() < 0.15) delete changed[name]
    else if (random() < 0.2 && isObject(changed[name])) changed[name] = members(changed[name], texts)
    else changed[name] = value
    return changed
  }

  return { text, sealed, members }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
}
