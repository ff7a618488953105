import { joinShown, show, type Shown } from '../terminal/show.ts'
import type { Paint } from '../terminal/paint.ts'
import type { Context } from './context.ts'

/** Prints an answer: one JSON object, or a line for each member. */
export async function printObject({ out, json }: Context, value: object): Promise<void> {
  if (json) await out.json(value)
  else for (const line of describeMembers(value, out.paint, '')) await out.line(line)
}

/** One column of a table. */
export interface Column<T> {
  readonly title: string
  readonly value: (item: T) => string | number | null | undefined
}

/** Prints the items of one page: each as one line of JSON, or as a table. */
export async function printItems<T extends object>(
  { out, json }: Context,
  items: readonly T[],
  columns: readonly Column<T>[],
  hasTitles: boolean,
): Promise<void> {
  if (json) {
    for (const item of items) await out.json(item)
    return
  }
  const rows = items.map((item) => columns.map(({ value }) => show`${value(item) ?? '-'}`))
  const titles = hasTitles ? [columns.map(({ title }) => show`${title}`)] : []
  const widths = columns.map((_, at) => Math.max(0, ...[...titles, ...rows].map((row) => row[at]?.text.length ?? 0)))
  const line = (row: readonly Shown[]) =>
    joinShown(
      row.map((cell, at) => pad(cell, at, widths)),
      '  ',
    )
  for (const row of titles) await out.line(out.paint.dim(line(row)))
  for (const row of rows) await out.line(line(row))
}

function describeMembers(from: object, paint: Paint, indent: string): readonly Shown[] {
  const entries = Object.entries(from as Readonly<Record<string, unknown>>).filter(([, member]) => member !== undefined)
  const names = entries.map(([name]) => show`${name}`.text)
  const width = Math.min(40, Math.max(0, ...names.map((name) => name.length)))
  return entries.flatMap(([name, member]) => {
    const label = paint.dim(show`${name}`)
    if (isNested(member)) return [show`${indent}${label}`, ...describeMembers(member, paint, `${indent}  `)]
    return [show`${indent}${label}${' '.repeat(Math.max(0, width - name.length))}  ${textOf(member)}`]
  })
}

/** The last cell of a row needs no room behind it. */
function pad(cell: Shown, at: number, widths: readonly number[]): Shown {
  if (at === widths.length - 1) return cell
  return show`${cell}${' '.repeat((widths[at] ?? 0) - cell.text.length)}`
}

function isNested(value: unknown): value is object {
  if (Array.isArray(value)) return value.some((item) => typeof item === 'object' && item !== null)
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(textOf).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
