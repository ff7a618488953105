/**
 * The raw bytes of each `"data":{…}` object in a JSON text, in order. Parsing and printing again would hide a changed
 * byte. Insignificant white space between the name and the object is allowed.
 */
export function rawDataObjects(text: string): readonly string[] {
  const found: string[] = []
  const opening = /"data"\s*:\s*\{/g
  for (let match = opening.exec(text); match !== null; match = opening.exec(text)) {
    const start = opening.lastIndex - 1
    const end = endOfObject(text, start)
    found.push(text.slice(start, end))
    opening.lastIndex = end
  }
  return found
}

/** Index after the brace that closes the one at `start`; strings are stepped over. */
function endOfObject(text: string, start: number): number {
  let depth = 0
  let inString = false
  for (let index = start; index < text.length; index += 1) {
    const character = text[index]
    if (inString) {
      if (character === '\\') index += 1
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{') depth += 1
    else if (character === '}') {
      depth -= 1
      if (depth === 0) return index + 1
    }
  }
  throw new Error('the object does not end')
}
