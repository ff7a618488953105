/** The value of an option or an argument, as its `kind` says: a list is one of `list`, or of an option that may be repeated. */
export type InputValue = string | number | boolean | readonly string[] | { readonly json: unknown }

/** What a command was called with, checked. Asking for a name that the command does not declare, or as another kind, is a mistake of the program. */
export class Input {
  readonly #values: ReadonlyMap<string, InputValue | undefined>

  /** `values` has every name that the command declares; undefined where nothing was given. */
  constructor(values: ReadonlyMap<string, InputValue | undefined>) {
    this.#values = values
  }

  /** The value of an option of kind `text` or `time`. */
  text(name: string): string | undefined {
    return this.#read(name, (value) => typeof value === 'string')
  }

  /** A required one. */
  required(name: string): string {
    const value = this.text(name)
    if (value === undefined) throw new TypeError(`${name} is not required`)
    return value
  }

  /** The value of an option of kind `integer`, `number` or `duration` (milliseconds). */
  number(name: string): number | undefined {
    return this.#read(name, (value) => typeof value === 'number')
  }

  /** Whether a flag was given; of kind `boolean`, whether it is true. */
  flag(name: string): boolean {
    return this.#read(name, (value) => typeof value === 'boolean') ?? false
  }

  /** The values of an option of kind `list`, or that may be repeated; empty where nothing was given. */
  list(name: string): readonly string[] {
    return this.#read(name, (value) => Array.isArray(value)) ?? []
  }

  /** The value of an option of kind `json`. */
  json(name: string): unknown {
    return this.#read(name, (value): value is { readonly json: unknown } => isJson(value))?.json
  }

  /** The value of any kind. */
  value(name: string): InputValue | undefined {
    if (!this.#values.has(name)) throw new TypeError(`${name} is not declared`)
    return this.#values.get(name)
  }

  #read<T extends InputValue>(name: string, isKind: (value: InputValue) => value is T): T | undefined {
    const value = this.value(name)
    if (value === undefined || isKind(value)) return value
    throw new TypeError(`${name} is of another kind`)
  }
}

function isJson(value: InputValue): value is { readonly json: unknown } {
  return typeof value === 'object' && 'json' in value
}
