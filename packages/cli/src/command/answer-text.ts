import type { Context } from './context.ts'
import { rawEntries, rawMember } from '../json/raw-json.ts'

/**
 * Keeps the text of the newest answer beside what the SDK makes of it. Commands print this text: numbers of `data` beyond 2^53, and `1.0`, are other
 * ones after they were parsed. It belongs to calls that are made one after the other.
 */
export class AnswerText {
  readonly #fetch: typeof fetch
  #chunks: Uint8Array[] = []

  constructor(context: Pick<Context, 'fetch'>) {
    this.#fetch = context.fetch
  }

  /** For the client that makes the calls. */
  readonly fetch: typeof fetch = async (input, init) => {
    const response = await this.#fetch(input, init)
    const chunks: Uint8Array[] = []
    this.#chunks = chunks
    const keep = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        chunks.push(chunk)
        controller.enqueue(chunk)
      },
    })
    // The client still reads, and cancels, the body itself.
    return new Response(response.body?.pipeThrough(keep) ?? null, response)
  }

  /** The answer as it was sent. */
  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }

  /** The JSON of the answer on one line. */
  get text(): string {
    // Strings hold no line break as such: what is replaced is white space between tokens.
    return new TextDecoder()
      .decode(this.bytes)
      .replaceAll(/[\r\n]+/g, ' ')
      .trim()
  }

  /** The same of each item, where the answer is a page of a list. */
  get items(): readonly string[] {
    return rawEntries(rawMember(this.text, 'data') ?? '[]').map(([, raw]) => raw)
  }
}
