import type { ReactNode } from 'react'

/** A column of a {@link Table}. */
export interface Column<T> {
  readonly title: string
  readonly cell: (item: T) => ReactNode
}

/**
 * A table of items, one a row. Where it is wider than the page it scrolls, by keyboard too; with `isStacked` each row becomes a block of
 * labelled lines on a narrow page instead.
 */
export function Table<T>(props: {
  readonly label: string
  readonly columns: readonly Column<T>[]
  readonly items: readonly T[]
  readonly keyOf: (item: T) => string
  readonly isStacked?: boolean
}) {
  const { label, columns, items, keyOf, isStacked = false } = props
  return (
    <section className="table-wrap" aria-label={label} tabIndex={0}>
      <table className={isStacked ? 'stacked' : undefined}>
        <thead>
          <tr>
            {columns.map(({ title }) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)}>
              {columns.map(({ title, cell }) => (
                <td key={title} data-label={title}>
                  {cell(item)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
