import type { FastPathCall } from './fast-path-call.ts'
import type { FastPost } from './read-request.ts'

/** A response; its headers are added to those of the {@link FastPathCall}. */
export interface FastResponse {
  readonly status: number
  /** Values are ASCII. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How the connections of the fast path have a post answered. */
export interface FastPathService {
  readonly path: string
  /** Answers a post. Resolves when its response was written or the client has disconnected; never rejects. */
  run(post: FastPost, write: WriteResponse): Promise<void>
}

/** Writes a response with its own and its call's headers, and closes the call once the client has it. False if the client has disconnected. */
export type WriteResponse = (response: FastResponse, call: FastPathCall) => boolean
