import { JsonScanner } from './json-scanner.ts'

/** Where a name in a pointer is cut: an error must not be as large as the body. */
const NAME_CHARS_MAX = 64

/** One reference token of a JSON pointer (RFC 6901), escaped; a long name is cut and ends in `…`. */
export function pointerToken(name: string): string {
  const cut = name.length <= NAME_CHARS_MAX ? name : `${name.slice(0, NAME_CHARS_MAX).replace(/[\ud800-\udbff]$/, '')}…`
  return cut.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The most bytes of a pointer in JSON; a longer one ends in `…`. */
const POINTER_BYTES_MAX = 200

/** A pointer that is short enough to be in an answer for each of a thousand entries. */
export function boundPointer(pointer: string): string {
  if (jsonBytes(pointer) <= POINTER_BYTES_MAX) return pointer
  let kept = ''
  let bytes = 0
  for (const char of pointer) {
    bytes += jsonBytes(char)
    if (bytes > POINTER_BYTES_MAX) break
    kept += char
  }
  return `${kept}…`
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2
}

/**
 * The JSON pointer, relative to the value at `start`, of the string whose opening quote is at `target`: the string itself, or
 * the member that it names. For error messages only: it walks the (well-formed) text again, up to the target. The text is
 * a payload within its limits, so its depth bounds the pointer.
 */
export function pointerTo(bytes: Buffer, start: number, end: number, target: number): string {
  const scanner = new JsonScanner()
  scanner.reset(bytes, start, end)
  const path: Step[] = []
  while (scanner.at !== target) {
    const inner = enter(scanner)
    if (inner === undefined) leave(scanner, path)
    else path.push(inner)
    const last = path.at(-1)
    if (last === undefined || last.nameStart - 1 === target) break
  }
  return path.map((step) => `/${pointerToken(tokenOf(scanner, step))}`).join('')
}

/** The current position in an open container: a member by its name, or (`nameStart` is 0) an element by its index. */
interface Step {
  index: number
  nameStart: number
  nameEnd: number
  escaped: boolean
}

/** Enters a non-empty container and moves to its first value; moves after any other value and returns undefined. */
function enter(scanner: JsonScanner): Step | undefined {
  const code = scanner.bytes[scanner.at]
  const step: Step = { index: 0, nameStart: 0, nameEnd: 0, escaped: false }
  if (code === 0x5b) return scanner.enterArray() ? step : undefined
  if (code !== 0x7b) scanner.scanValue(1)
  else if (scanner.enterObject()) {
    readName(scanner, step)
    return step
  }
  return undefined
}

/** After a value: moves to the next one, out of the containers that end here. */
function leave(scanner: JsonScanner, path: Step[]): void {
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    if (step.nameStart === 0) {
      step.index += 1
      if (scanner.nextElement()) return
    } else if (scanner.nextMember()) {
      readName(scanner, step)
      return
    }
    path.pop()
  }
}

function readName(scanner: JsonScanner, step: Step): void {
  scanner.scanName()
  step.nameStart = scanner.stringStart
  step.nameEnd = scanner.stringEnd
  step.escaped = scanner.stringEscaped
}

function tokenOf(scanner: JsonScanner, step: Step): string {
  return step.nameStart === 0 ? String(step.index) : scanner.textOf(step.nameStart, step.nameEnd, step.escaped)
}
