import type { Call, CallOptions, Transport } from '../http/transport.ts'
import { List } from '../lists.ts'

/** Options of calls that create something. */
export interface CreateOptions extends CallOptions {
  /** Makes a repeated call harmless for 24 hours, beyond the retries of this one: 1 to 255 visible ASCII characters. Default: a random one. */
  readonly idempotencyKey?: string | undefined
}

/** What all groups of methods share. */
export class Resource {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  protected async read<T>(at: string, query: object = {}, options: CallOptions = {}): Promise<T> {
    return (await this.#transport.request({ method: 'GET', path: at, query }, options)) as T
  }

  protected async write<T>(method: Call['method'], at: string, body?: object, options: CallOptions = {}): Promise<T> {
    return (await this.#transport.request({ method, path: at, body: bodyOf(body) }, options)) as T
  }

  /** A POST whose retries carry the same `Idempotency-Key`, so that it takes effect once. */
  protected async make<T>(at: string, body?: object, options: CreateOptions = {}): Promise<T> {
    const headers = { 'Idempotency-Key': options.idempotencyKey ?? crypto.randomUUID() }
    return (await this.#transport.request({ method: 'POST', path: at, headers, body: bodyOf(body) }, options)) as T
  }

  protected pages<T>(at: string, query: object = {}, options: CallOptions = {}): List<T> {
    return new List<T>(this.#transport, at, query, options)
  }
}

/** A path; values are encoded. */
export function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return parts.reduce((text, part, at) => `${text}${encodeURIComponent(values[at - 1] ?? '')}${part}`)
}

function bodyOf(body: object | undefined): string | undefined {
  return body === undefined ? undefined : JSON.stringify(body)
}
