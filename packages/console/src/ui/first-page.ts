import type { List, Page } from '@ariftly/sdk'

/** The first page of a list. */
export async function firstPage<T>(list: List<T>): Promise<Page<T>> {
  for await (const page of list.pages()) return page
  return { data: [], has_more: false, next_cursor: null }
}
