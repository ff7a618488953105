import type { List, Page as ListPageOf } from '@ariftly/sdk'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { CopyAs } from '../ui/copy-as.tsx'
import { Fault } from '../ui/fault.tsx'
import { firstPage } from '../ui/first-page.ts'
import { Empty, Loading, Page } from '../ui/page.tsx'
import { Table, type Column } from '../ui/table.tsx'
import { Pager } from '../ui/pager.tsx'
import { requestForms, type ShownRequest } from '../ui/request-forms.ts'

/** A page that is one list of the API as a table. */
export function ListPage<T>(props: {
  readonly title: string
  readonly request: Omit<ShownRequest, 'query'>
  readonly read: (o: { readonly cursor?: string; readonly limit: number }, signal: AbortSignal) => List<T>
  readonly columns: readonly Column<T>[]
  readonly keyOf: (item: T) => string
  readonly empty: string
  readonly actions?: ReactNode
  readonly children?: ReactNode
}) {
  const { title, request, read, columns, keyOf, empty, actions, children } = props
  const [cursor, setCursor] = useState<string | undefined>(undefined)
  const list = useQuery({
    queryKey: [request.path, cursor],
    queryFn: async ({ signal }): Promise<ListPageOf<T>> =>
      await firstPage(read({ limit: 50, ...(cursor === undefined ? {} : { cursor }) }, signal)),
    placeholderData: keepPreviousData,
  })
  return (
    <Page
      title={title}
      name={title}
      actions={
        <>
          {actions}
          <CopyAs forms={requestForms({ ...request, query: {} })} />
        </>
      }
    >
      {children}
      {list.error !== null && <Fault error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Loading what={title.toLowerCase()} />}
      {list.data?.data.length === 0 && <Empty title={empty} />}
      {list.data !== undefined && list.data.data.length > 0 && (
        <Table label={title} columns={columns} items={list.data.data} keyOf={keyOf} isStacked />
      )}
      <Pager cursor={cursor} next={list.data?.next_cursor} onGo={setCursor} />
    </Page>
  )
}
