import type { Call, CallOptions, Transport } from './http/transport.ts'

/** One page of a list, as the API answers it. */
export interface Page<T> {
  readonly data: readonly T[]
  readonly has_more: boolean
  /** Cursor of the next page; null on the last one. */
  readonly next_cursor: string | null
}

/** A list of the API: `for await` reads all of it, page by page. Each iteration begins at the first page, or at the `cursor` that was given. */
export class List<T> implements AsyncIterable<T> {
  readonly #transport: Transport
  readonly #call: Call
  readonly #options: CallOptions
  /** Cursor after the last completely read page; undefined before the first page, null after the last. */
  cursor: string | null | undefined

  constructor(transport: Transport, path: string, query: object, options: CallOptions) {
    this.#transport = transport
    this.#call = { method: 'GET', path, query }
    this.#options = options
  }

  /** All pages. A page may be empty although more follow. */
  async *pages(): AsyncGenerator<Page<T>, void, undefined> {
    let { query = {} } = this.#call
    for (;;) {
      const page = (await this.#transport.request({ ...this.#call, query }, this.#options)) as Page<T>
      yield page
      this.cursor = page.next_cursor
      if (!page.has_more || page.next_cursor === null) return
      query = { ...query, cursor: page.next_cursor }
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const page of this.pages()) yield* page.data
  }

  /** At most `limit` items in one array. */
  async toArray({ limit }: { readonly limit: number }): Promise<T[]> {
    const items: T[] = []
    if (limit <= 0) return items
    for await (const item of this) {
      items.push(item)
      if (items.length >= limit) break
    }
    return items
  }
}
