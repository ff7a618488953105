import { JsonScanner } from './json-scanner.ts'

/** One reference token of a JSON pointer (RFC 6901), escaped. */
export function pointerToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/**
 * The JSON pointer, relative to the value at `start`, of the string whose opening quote is at `target`: the string itself, or the member
 * that it names. For error messages alone: it walks the (well-formed) text a second time.
 */
export function pointerTo(bytes: Buffer, start: number, end: number, target: number): string {
  const scanner = new JsonScanner()
  scanner.reset(bytes, start, end)
  const path: string[] = []
  for (;;) {
    const inner = scanner.bytes[scanner.at]
    const found =
      inner === 0x7b ? memberAround(scanner, target) : inner === 0x5b ? elementAround(scanner, target) : undefined
    if (found === undefined) break
    path.push(`/${pointerToken(found.token)}`)
    if (found.isName) break
    scanner.at = found.valueStart
  }
  return path.join('')
}

interface Around {
  readonly token: string
  readonly valueStart: number
  readonly isName: boolean
}

function memberAround(scanner: JsonScanner, target: number): Around | undefined {
  for (let more = scanner.enterObject(); more; more = scanner.nextMember()) {
    scanner.scanName()
    const { stringStart, stringEnd, stringEscaped, at: valueStart } = scanner
    const isName = stringStart - 1 === target
    if (!isName) scanner.scanValue(1)
    if (isName || scanner.at > target) {
      return { token: scanner.textOf(stringStart, stringEnd, stringEscaped), valueStart, isName }
    }
  }
  return undefined
}

function elementAround(scanner: JsonScanner, target: number): Around | undefined {
  let index = 0
  for (let more = scanner.enterArray(); more; more = scanner.nextElement()) {
    const valueStart = scanner.at
    scanner.scanValue(1)
    if (scanner.at > target) return { token: String(index), valueStart, isName: false }
    index += 1
  }
  return undefined
}
