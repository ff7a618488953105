import type { ReactNode } from 'react'

/** Around a table that may be wider than the page: it scrolls, by keyboard too. */
export function TableBox({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <section className="table-wrap" aria-label={label} tabIndex={0}>
      {children}
    </section>
  )
}
