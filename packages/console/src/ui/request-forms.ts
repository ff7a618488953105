/** The same request in three forms. */
export interface Forms {
  readonly curl: string
  readonly cli: string
  readonly sdk: string
}

/** A request of the API, as the pages make it. */
export interface ShownRequest {
  readonly path: string
  /** Values that are not set are left out. */
  readonly query: Readonly<Record<string, string | number | readonly string[] | undefined>>
  /** `events list` of `ariftly events list`. */
  readonly command: string
  /** `events.list` of `client.events.list(…)`. */
  readonly method: string
}

/** Options of the command line that are not named as the parameter. */
const OPTIONS: Readonly<Record<string, string>> = {
  task_id: 'task',
  session_id: 'session',
  webhook_id: 'webhook',
  event_id: 'event',
  types: 'type',
  after: 'since',
}

/** The request as curl, CLI and SDK; the address is that of the page. */
export function requestForms({ path, query, command, method }: ShownRequest): Forms {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== '' && textOf(value) !== '')
  const search = set.map(([name, value]) => `${name}=${encodeURIComponent(textOf(value))}`).join('&')
  const url = `$ARIFTLY_URL${path}${search === '' ? '' : `?${search}`}`
  const flags = set
    .map(([name, value]) => ` --${OPTIONS[name] ?? name.replaceAll('_', '-')} ${quoted(textOf(value))}`)
    .join('')
  const args = set.length === 0 ? '' : JSON.stringify(Object.fromEntries(set), null, 2)
  return {
    curl: `curl -H "Authorization: Bearer $ARIFTLY_API_KEY" "${url}"`,
    cli: `ariftly ${command}${flags}`,
    sdk: `import { Ariftly } from '@ariftly/sdk'\n\nconst client = new Ariftly()\nconst result = client.${method}(${args})`,
  }
}

function textOf(value: ShownRequest['query'][string]): string {
  return Array.isArray(value) ? value.join(',') : String(value ?? '')
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w.,:/@+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
