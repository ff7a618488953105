import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import { Fault } from '../ui/fault.tsx'
import { Empty, Page } from '../ui/page.tsx'

/** Shown for an address that is no page. */
export function NoPage() {
  return (
    <Page title="No such page" name="No such page">
      <Empty title="There is no page at this address.">
        <p>
          Events as they happen are under <Link to="/live">Live</Link>.
        </p>
      </Empty>
    </Page>
  )
}

/** Shown when a page has failed. */
export function Crashed({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="This page has failed" name="Failed">
      <Fault error={error} retry={reset} />
    </Page>
  )
}
