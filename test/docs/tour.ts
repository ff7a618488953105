import { dirname } from 'node:path'

/** One stop of docs/tour.md. */
export interface Stop {
  readonly number: number
  /** Relative to the root of the repository. */
  readonly path: string
  /** A function, a class, or `Class.member`. */
  readonly symbol: string
  /** The stop of the same part that calls it, and the name that it calls. */
  readonly caller: { readonly stop: number; readonly name: string } | undefined
  /** The file that calls or wires it. */
  readonly wiring: string | undefined
}

/** A part of the event's way: a heading and its stops. */
export interface Leg {
  readonly title: string
  readonly stops: readonly Stop[]
}

const STOP =
  /^(\d+)\. \[`([^`]+)`\]\(\.\.\/([^)]+)\): `([^`]+)` ← (?:(\d+)(?: as `(\w+)`)?|\[`([^`]+)`\]\(\.\.\/([^)]+)\)): \S/

/** The parts of docs/tour.md. Throws for a numbered line that is no stop. */
export function readTour(text: string): readonly Leg[] {
  const sections = text.split(/^## /m).slice(1)
  return sections.map((section) => {
    const [title = '', ...lines] = section.split('\n')
    return { title, stops: lines.filter((line) => /^\d+\./.test(line)).map(readStop) }
  })
}

function readStop(line: string): Stop {
  const [, number, name = '', path = '', symbol = '', stop, as, wiringName, wiring] = STOP.exec(line) ?? []
  if (number === undefined) throw new Error(`not a stop: ${line}`)
  if (!path.endsWith(`/${name}`)) throw new Error(`${name} links to ${path}`)
  if (wiring !== undefined && !wiring.endsWith(`/${wiringName}`)) throw new Error(`${wiringName} links to ${wiring}`)
  const caller = stop === undefined ? undefined : { stop: Number(stop), name: as ?? memberOf(symbol) }
  return { number: Number(number), path, symbol, caller, wiring }
}

/** `read` of `EventReader.read`. */
function memberOf(symbol: string): string {
  return symbol.split('.').at(-1) ?? symbol
}

/** Whether a file declares a symbol. */
export function declares(source: string, symbol: string): boolean {
  const [owner = '', member] = symbol.split('.')
  const declared = new RegExp(`(?:^|\\s)(?:function\\*?|const|class|interface|type) ${owner}\\b`)
  if (member !== undefined) return declared.test(source) && declaresMember(source, member)
  return declared.test(source) || declaresMember(source, symbol)
}

function declaresMember(source: string, member: string): boolean {
  return new RegExp(`^\\s+(?:(?:async|readonly|get) )*#?${member.replace('#', '')}[(<: ]`, 'm').test(source)
}

/** Where a text calls a name first; -1 where it does not. */
export function callAt(text: string, name: string): number {
  return text.search(new RegExp(`\\b${name}(?:<[^>]*>)?\\(|\\b${name}\\.bind\\(`))
}

/** The text of a function or method, from its first line to the end of its block; empty if it is not found. */
export function bodyOf(source: string, symbol: string): string {
  const name = memberOf(symbol)
  const head = new RegExp(
    `^( *)(?:export )?(?:return )?(?:(?:async|readonly|get) )*(?:(?:function\\*?|const|class) )?${name}\\b.*$`,
    'm',
  ).exec(source)
  if (head === null) return ''
  const [line, indent = ''] = head
  const rest = source.slice(head.index)
  const end = rest.slice(line.length).search(new RegExp(`^${indent}[})\\]]`, 'm'))
  return end < 0 ? rest : rest.slice(0, line.length + end)
}

/** Figures of a part, as the table of the page has them: stops, files, changes of folder. */
export function figuresOf(stops: readonly Stop[]): readonly [number, number, number] {
  const paths = stops.map(({ path }) => path)
  const changes = paths.filter((path, index) => index > 0 && dirname(path) !== dirname(paths[index - 1] ?? '')).length
  return [stops.length, new Set(paths).size, changes]
}
