/** The parameters of an address as text, as the API takes them: an id of digits stays as it is. */
export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text))
}

/** The reverse of {@link parseSearch}, with its `?`; parameters without a value are left out. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(search).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  )
  const text = new URLSearchParams(Object.fromEntries(entries)).toString()
  return text === '' ? '' : `?${text}`
}
