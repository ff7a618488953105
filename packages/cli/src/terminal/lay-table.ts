import { cutTo, shorten, widthOf } from './width.ts'

/** A column is not made narrower than that, so that something of it can be read. */
const WIDTH_MIN = 8
const GAP = '  '
/** An id: it is to be copied, so it is cut last, with the whole line. */
const ID = /^[a-z]+_[0-7][0-9a-hjkmnp-tv-z]{25}$/

/**
 * Lines of a table, each within `room` columns of a terminal. The widest columns are made narrower first, but not those of ids; what is too wide even
 * then is cut at the end of the line. Texts have no styles, and nothing that drives a terminal.
 */
export function layTable(rows: readonly (readonly string[])[], room: number): readonly string[] {
  const count = Math.max(0, ...rows.map(({ length }) => length))
  const columns = Array.from({ length: count }, (_, at) => rows.map((row) => row[at] ?? ''))
  const widths = columns.map((texts) => Math.max(...texts.map(widthOf)))
  const isFixed = columns.map((texts) => texts.some((text) => ID.test(text)))
  let excess = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) - room
  for (; excess > 0; excess -= 1) {
    const loose = widths.map((width, at) => (isFixed[at] === true ? 0 : width))
    const widest = Math.max(...loose)
    if (widest <= WIDTH_MIN) break
    widths[loose.indexOf(widest)] = widest - 1
  }
  return rows.map((row) => cutTo(row.map((text, at) => fill(text, widths[at] ?? 0, at === count - 1)).join(GAP), room))
}

/** The last cell of a row needs no room behind it. */
function fill(text: string, width: number, isLast: boolean): string {
  const shown = shorten(text, width)
  return isLast ? shown : shown + ' '.repeat(width - widthOf(shown))
}
