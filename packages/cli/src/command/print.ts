import { rawEntries } from '../json/raw-json.ts'
import { literal, show, type Shown } from '../terminal/show.ts'
import type { Paint } from '../terminal/paint.ts'
import { layTable } from '../terminal/lay-table.ts'
import type { Context } from './context.ts'

/** Prints an object: as JSON, or a line for each member. */
export async function printObject(context: Context, value: object): Promise<void> {
  await printText(context, JSON.stringify(value))
}

/** The same of an object that is JSON text already, on one line: its bytes are kept. */
export async function printText({ out, json }: Context, text: string): Promise<void> {
  if (json) await out.jsonText(text)
  else for (const line of describeMembers(text, out.paint, '')) await out.line(line)
}

/** One column of a table. */
export interface Column<T> {
  readonly title: string
  readonly value: (item: T, text: string) => string | number | null | undefined
}

/** An item of a list, with its JSON text on one line. */
export interface Item<T extends object> {
  readonly value: T
  readonly text: string
}

/** Prints the items of one page: each as one line of JSON, or as a table. */
export async function printItems<T extends object>(
  { out, json }: Context,
  items: readonly Item<T>[],
  columns: readonly Column<T>[],
  hasTitles: boolean,
): Promise<void> {
  if (json) {
    for (const { text } of items) await out.jsonText(text)
    return
  }
  const rows = items.map(({ value: item, text }) => columns.map(({ value }) => show`${value(item, text) ?? '-'}`.text))
  const table = [...(hasTitles ? [columns.map(({ title }) => title)] : []), ...rows]
  const room = out.stream.columns ?? Infinity
  const lines = layTable(table, room).map((line) => literal(line))
  for (const [at, line] of lines.entries()) await out.line(hasTitles && at === 0 ? out.paint.dim(line) : line)
}

function describeMembers(text: string, paint: Paint, indent: string): readonly Shown[] {
  const entries = rawEntries(text)
  const names = entries.map(([name]) => show`${name}`.text)
  const width = Math.min(40, Math.max(0, ...names.map((name) => name.length)))
  return entries.flatMap(([name, member]) => {
    const label = paint.dim(show`${name}`)
    if (isNested(member)) return [show`${indent}${label}`, ...describeMembers(member, paint, `${indent}  `)]
    return [show`${indent}${label}${' '.repeat(Math.max(0, width - name.length))}  ${textOf(member)}`]
  })
}

/** Whether it is an object with members, or an array with objects or arrays in it. */
function isNested(text: string): boolean {
  if (text.startsWith('[')) return rawEntries(text).some(([, raw]) => /^[[{]/.test(raw))
  return text.startsWith('{') && rawEntries(text).length > 0
}

/** Numbers as they are written. */
function textOf(text: string): string {
  if (text.startsWith('"')) return JSON.parse(text) as string
  if (!text.startsWith('[')) return text
  const elements = rawEntries(text)
  return elements.length === 0 ? 'none' : elements.map(([, raw]) => textOf(raw)).join(', ')
}
