/** The text of a member of a JSON object; the last one of that name, as JSON.parse takes it. `text` must be valid. */
export function rawMember(text: string, name: string): string | undefined {
  return rawEntries(text).findLast(([member]) => member === name)?.[1]
}

/**
 * The members of a JSON object, or the elements of an array with their places as names, each with the text of its value. `text` must be valid. Values
 * are not parsed, so they keep their bytes: JSON.parse rounds integers beyond 2^53, and takes `1.0` for `1`.
 */
export function rawEntries(text: string): readonly (readonly [name: string, raw: string])[] {
  const opening = text.search(/[[{]/)
  const isArray = text[opening] === '['
  const entries: [string, string][] = []
  for (let at = opening + 1; ; at += 1) {
    const start = isArray ? -1 : text.indexOf('"', at)
    if (!isArray && start < 0) return entries
    const end = isArray ? at : endOfString(text, start)
    const from = isArray ? at : text.indexOf(':', end) + 1
    at = endOfValue(text, from)
    const raw = text.slice(from, at).trim()
    // An empty array.
    if (raw === '') return entries
    entries.push([isArray ? String(entries.length) : (JSON.parse(text.slice(start, end)) as string), raw])
    if (text[at] !== ',') return entries
  }
}

/** Index behind the quote that ends the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text[at - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return at + 1
  }
}

/** Index of the comma or bracket behind the value that begins at or after `from`. */
function endOfValue(text: string, from: number): number {
  let depth = 0
  STRUCTURE.lastIndex = from
  for (let found = STRUCTURE.exec(text); found !== null; found = STRUCTURE.exec(text)) {
    const [char] = found
    if (char === '"') STRUCTURE.lastIndex = endOfString(text, found.index)
    else if (char === '{' || char === '[') depth += 1
    else if (depth === 0) return found.index
    else if (char !== ',') depth -= 1
  }
  return text.length
}

const STRUCTURE = /["{}[\],]/g
