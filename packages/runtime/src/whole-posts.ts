/** A POST that came whole, in one piece: what a route is told of it. A header that was not sent is undefined; none was sent twice. */
export interface WholePost {
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly requestId: string | undefined
  readonly traceparent: string | undefined
  readonly body: Buffer
}

/** The answer to a {@link WholePost}. */
export interface WholeAnswer {
  readonly status: number
  /** Without Content-Length, Date and Connection, which the server writes. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Told once, when the answer was written, or could not be (`complete` false) as the client had gone. */
  ended(complete: boolean): void
}

/**
 * A route that can answer a request which is read by a short way: such a request stands whole in one read of its connection and says nothing unusual. All
 * others reach the same path by {@link Running.router}, and both ways give the same answers.
 */
export interface WholePosts {
  /** Of the requests, without a query. */
  readonly path: string
  /** Never rejects. */
  answer(post: WholePost): Promise<WholeAnswer>
}
