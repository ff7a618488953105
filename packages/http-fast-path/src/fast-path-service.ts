import type { FastPathCall } from './fast-path-call.ts'
import type { FastPost } from './read-request.ts'

/** A response, with its headers beside those that were set on the {@link FastPathCall}. */
export interface FastResponse {
  readonly status: number
  /** Values are ASCII. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How the connections of the fast path have a post answered. */
export interface FastPathService {
  readonly path: string
  /** Answers a post. Resolves when its response was written, or the client had gone; never rejects. */
  run(post: FastPost, write: WriteResponse): Promise<void>
}

/** Writes a response with the headers of its call besides its own, and closes the call once the client has it. False if the client has gone. */
export type WriteResponse = (response: FastResponse, call: FastPathCall) => boolean
