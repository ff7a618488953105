/**
 * Why an attempt failed. `http_3xx`, `http_4xx` and `http_5xx` are by status. `dns_error`: the host's name has no address that
 * may be dialled, for any reason; `blocked`: the URL itself is not allowed. Only append to this list: statistics are stored by
 * index.
 */
export const ERROR_CLASSES = [
  'http_3xx',
  'http_4xx',
  'http_5xx',
  'timeout',
  'tls_error',
  'connection_refused',
  'connection_reset',
  'dns_error',
  'blocked',
] as const

/** One of `ERROR_CLASSES`. */
export type ErrorClass = (typeof ERROR_CLASSES)[number]

/** Where the time went, in ms. `dnsMs`, `connectMs`, `tlsMs` are 0 on a kept connection, null when not reached. */
export interface EgressTiming {
  readonly dnsMs: number | null
  readonly connectMs: number | null
  readonly tlsMs: number | null
  /** From the start of the exchange to the answer's status line. */
  readonly firstByteMs: number | null
  readonly totalMs: number
}

/** One POST. */
export interface EgressRequest {
  readonly url: URL
  /** Lower-case names. `content-length` and `host` are set by the sender. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** Deadline of the whole exchange: look-up, connection, TLS, request, answer. */
  readonly timeoutMs: number
}

/** How the exchange ended. `errorClass` null means a 2xx that was read (up to the bound). */
export interface EgressOutcome {
  readonly errorClass: ErrorClass | null
  /** Words for operators; never holds a secret. For a `dns_error`, tenants must see neither it nor the address and time of the look-up: they would map our network. */
  readonly errorDetail: string | null
  /**
   * Why no address of the host may be reached, for operators alone: `not_found`, `lookup_failed`, or the range of the first address (`private`,
   * `loopback`, `linkLocal`, …). Null when one was dialled.
   */
  readonly unreachable: string | null
  readonly status: number | null
  readonly address: string | null
  readonly timing: EgressTiming
  /** Headers of the answer: lower-case names, repeated ones joined by `, `. */
  readonly responseHeaders: Readonly<Record<string, string>> | null
  /** The first bytes of the answer, as sent (nothing is decompressed). */
  readonly responseBody: Buffer | null
}
