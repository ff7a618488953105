import { isIP } from 'node:net'

/** What every setting says about itself. */
export interface SettingOptions {
  /** One sentence for the table in the docs. */
  readonly doc: string
  /** Never printed; may also be in the file that `NAME_FILE` names. */
  readonly secret?: boolean
}

/** One setting: how its text is read, and what the docs say. Made by {@link str}, {@link int} and their like. */
export interface Setting<T> {
  readonly kind: string
  readonly doc: string
  readonly secret: boolean
  readonly optional: boolean
  /** The text used for an absent variable. */
  readonly defaultText: string | undefined
  /** Reads a text that is present. */
  parse(text: string): ParsedSetting<T>
  /**
   * The fault of a parsed value: given the other settings' values (by name; undefined if they could not be parsed), or of the
   * file that it names. Called for every setting, absent ones too.
   */
  check?(value: T, others: Readonly<Record<string, unknown>>): string | undefined
}

/** The value of a setting, or the fault of its text (never the text itself: it may be a secret). */
type ParsedSetting<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string }

type Optional<T> = SettingOptions & { readonly optional: true } & T
type Required<T, D> = SettingOptions & { readonly default?: D } & T

interface Pattern {
  readonly pattern?: RegExp
  /** What the pattern asks for, as the end of "must be …". */
  readonly patternDoc?: string
}

/** A text. An empty variable counts as absent, unless the default is the empty text. */
export function str(options: Optional<Pattern>): Setting<string | undefined>
export function str(options: Required<Pattern, string>): Setting<string>
export function str(
  options: SettingOptions & Pattern & { default?: string; optional?: true },
): Setting<string | undefined> {
  const { pattern, patternDoc } = options
  return setting('text', options, (text) =>
    pattern === undefined || pattern.test(text)
      ? good(text)
      : bad(`must be ${patternDoc ?? `like ${String(pattern)}`}`),
  )
}

interface Range {
  readonly min?: number
  readonly max?: number
}

/** A whole number in decimal, within `min` and `max` (default: 0 and 2^53 - 1). */
export function int(options: Optional<Range>): Setting<number | undefined>
export function int(options: Required<Range, number>): Setting<number>
export function int(
  options: SettingOptions & Range & { default?: number; optional?: true },
): Setting<number | undefined> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options
  return setting(`integer ${min} to ${max === Number.MAX_SAFE_INTEGER ? '…' : max}`, options, (text) => {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    return value >= min && value <= max ? good(value) : bad(`must be a whole number from ${min} to ${max}`)
  })
}

/** `true` or `false`. */
export function bool(options: SettingOptions & { readonly default: boolean }): Setting<boolean> {
  return setting('true or false', options, (text) => {
    if (text === 'true' || text === '1') return good(true)
    if (text === 'false' || text === '0') return good(false)
    return bad('must be true or false')
  })
}

/** A comma-separated list; white space around an item and empty items do not count. */
export function csv(
  options: SettingOptions & { readonly default?: string; readonly minItems?: number },
): Setting<readonly string[]> {
  return setting('list, comma-separated', options, (text) => {
    const items = text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
    const { minItems = 0 } = options
    return items.length >= minItems ? good(items) : bad(`must have at least ${minItems} item(s)`)
  })
}

/** A comma-separated list of addresses with ports, as `kafka-1:9092` or `[fd00::1]:9092`; one at least. */
export function hostPorts(options: Required<object, string>): Setting<readonly string[]> {
  const list = csv({ ...options, minItems: 1 })
  return setting('list of host:port, comma-separated', options, (text) => {
    const parsed = list.parse(text)
    return !parsed.ok || parsed.value.every(isHostPort) ? parsed : bad('must be addresses such as kafka-1:9092')
  })
}

function isHostPort(text: string): boolean {
  const [, port] = /^(?:\[[\da-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(text) ?? []
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}

/** A comma-separated list of address ranges, as `10.1.0.0/16` or `fd00::/8`. */
export function cidrs(options: Required<object, string>): Setting<readonly string[]> {
  const list = csv(options)
  return setting('address ranges, comma-separated', options, (text) => {
    const parsed = list.parse(text)
    return !parsed.ok || parsed.value.every(isCidr) ? parsed : bad('must be address ranges such as 10.1.0.0/16')
  })
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/')
  const bitsMax = isIP(address) === 4 ? 32 : 128
  return more.length === 0 && isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax
}

/** A comma-separated list of whole numbers. */
export function intCsv(options: Optional<Range>): Setting<readonly number[] | undefined>
export function intCsv(options: Required<Range, string>): Setting<readonly number[]>
export function intCsv(
  options: SettingOptions & Range & { default?: string; optional?: true },
): Setting<readonly number[] | undefined> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options
  return setting('whole numbers, comma-separated', options, (text) => {
    const values = text.split(',').map((item) => (/^\s*-?\d{1,16}\s*$/.test(item) ? Number(item) : Number.NaN))
    const fine = values.every((value) => value >= min && value <= max)
    return fine ? good(values) : bad(`must be whole numbers from ${min} to ${max}, comma-separated`)
  })
}

interface Protocols {
  /** Allowed schemes with their colon, as `['postgres:']`; default: any. */
  readonly protocols?: readonly string[]
}

/** A URL, kept as the text that was given. */
export function url(options: Optional<Protocols>): Setting<string | undefined>
export function url(options: Required<Protocols, string>): Setting<string>
export function url(
  options: SettingOptions & Protocols & { default?: string; optional?: true },
): Setting<string | undefined> {
  const { protocols } = options
  return setting(protocols === undefined ? 'URL' : `URL (${protocols.join(' ')})`, options, (text) => {
    if (!URL.canParse(text)) return bad('must be a URL')
    if (protocols !== undefined && !protocols.includes(new URL(text).protocol)) {
      return bad(
        `must be a URL that begins with ${protocols.map((protocol) => (protocol === 'mailto:' ? protocol : `${protocol}//`)).join(' or ')}`,
      )
    }
    return good(text)
  })
}

/** The path of a file, unchanged; `check` may validate the file's content. */
export function path(options: SettingOptions): Setting<string | undefined> {
  return { ...str({ ...options, optional: true }), kind: 'path' }
}

/** A TCP port; 0: the system chooses. */
export function port(options: Optional<unknown>): Setting<number | undefined>
export function port(options: Required<unknown, number>): Setting<number>
export function port(options: SettingOptions & { default?: number; optional?: true }): Setting<number | undefined> {
  return { ...int({ ...options, min: 0, max: 65_535 } as Required<Range, number>), kind: 'port' }
}

/** One of a few words. */
export function oneOf<const W extends string>(
  options: SettingOptions & { readonly words: readonly W[]; readonly default?: W },
): Setting<W> {
  return setting(options.words.join(', '), options, (text) => {
    const word = options.words.find((candidate) => candidate === text)
    return word === undefined ? bad(`must be one of ${options.words.join(', ')}`) : good(word)
  })
}

function setting<T>(
  kind: string,
  options: SettingOptions & { readonly default?: string | number | boolean; readonly optional?: true },
  parse: (text: string) => ParsedSetting<T>,
): Setting<T> {
  return {
    kind,
    doc: options.doc,
    secret: options.secret ?? false,
    optional: options.optional ?? false,
    defaultText: options.default === undefined ? undefined : String(options.default),
    parse,
  }
}

function good<T>(value: T): ParsedSetting<T> {
  return { ok: true, value }
}

function bad(fault: string): { readonly ok: false; readonly fault: string } {
  return { ok: false, fault }
}
