/** A call of an API with a key. */
export interface ApiCall {
  readonly url: string
  readonly key: string
  /** Default GET. */
  readonly method?: string | undefined
  /** Sent as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

/** An answer with its JSON body, `{}` for none. */
export interface ApiAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

/** Makes a call and reads its answer. */
export async function callApi({ url, key, method = 'GET', body, headers, signal }: ApiCall): Promise<ApiAnswer> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  })
  const text = await response.text()
  const parsed = (text === '' ? {} : JSON.parse(text)) as ApiAnswer['body']
  return { status: response.status, headers: response.headers, body: parsed }
}
