import { typeIdToUuid, uuidToTypeId } from '@ariftly/events'

/** One member of a row and what Postgres keeps of it. */
export interface Column<T> {
  /** Default: the member's name in snake case, without the unit `Ms`. */
  readonly name?: string
  /** The expression that is selected under the name; default: the column itself. */
  readonly sql?: string
  readonly read: (stored: unknown) => T
  write(member: T): unknown
}

/** The members of a row; a nested object has columns of the same table. */
interface Members {
  readonly [member: string]: Column<unknown> | Members
}

type ValueOf<M> = M extends Column<infer T> ? T : { readonly [K in keyof M]: ValueOf<M[K]> }

/** A row as pg returns it. */
type Stored = Readonly<Record<string, unknown>>

/** Members as parts of an INSERT or UPDATE. */
interface WrittenMembers {
  /** `id, tenant_id`. */
  readonly columns: string
  /** `$1, $2`. */
  readonly parameters: string
  /** `id = $1, tenant_id = $2`. */
  readonly sets: string
  readonly values: unknown[]
}

/** One kind of row: its columns in SQL, and the way from columns to members and back. */
export interface RowDefinition<T> {
  /** What to select, of the table under its alias. */
  readonly columns: string
  /** Turns a row of pg into members. Other columns are ignored. */
  readonly read: (stored: object) => T
  /** The same of the first row of a result; undefined without one. */
  readFirst(result: { readonly rows: readonly object[] }): T | undefined
  /** The given members as parameters from `$first` (default 1) on, in the order of the definition; undefined ones are left out. */
  write(members: Partial<T>, first?: number): WrittenMembers
}

/** The members of a kind of row. */
export type RowOf<D> = D extends RowDefinition<infer T> ? T : never

/** Defines a row of the table with an alias: the one place that names its members, their columns and their types. */
export function defineRow<M extends Members>(
  alias: string,
  members: M,
): RowDefinition<{ readonly [K in keyof M]: ValueOf<M[K]> }> {
  type T = { readonly [K in keyof M]: ValueOf<M[K]> }
  const leaves = leavesOf(members, [])
  const read = (stored: object): T => readMembers(leaves, stored as Stored) as T
  return {
    columns: leaves
      .map(({ name, column }) => (column.sql === undefined ? `${alias}.${name}` : `${column.sql} AS ${name}`))
      .join(', '),
    read,
    readFirst: ({ rows: [stored] }) => (stored === undefined ? undefined : read(stored)),
    write: (given, first = 1) => writeMembers(leaves, given, first),
  }
}

interface Leaf {
  readonly path: readonly string[]
  readonly name: string
  readonly column: Column<unknown>
}

function leavesOf(members: Members, path: readonly string[]): readonly Leaf[] {
  return Object.entries(members).flatMap(([member, entry]) => {
    if (!isColumn(entry)) return leavesOf(entry, [...path, member])
    return [{ path: [...path, member], name: entry.name ?? columnName(member), column: entry }]
  })
}

function isColumn(entry: Column<unknown> | Members): entry is Column<unknown> {
  return typeof entry['read'] === 'function'
}

function columnName(member: string): string {
  return member.replace(/Ms$/, '').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function readMembers(leaves: readonly Leaf[], stored: Stored): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (const {
    path: [member = '', nested],
    name,
    column,
  } of leaves) {
    const value = column.read(stored[name])
    if (nested === undefined) row[member] = value
    else row[member] = { ...(row[member] as object | undefined), [nested]: value }
  }
  return row
}

function writeMembers(leaves: readonly Leaf[], given: object, first: number): WrittenMembers {
  const written = leaves.flatMap(({ path, name, column }) => {
    const member = path.reduce<unknown>((value, key) => (value as Stored | undefined)?.[key], given)
    return member === undefined ? [] : [{ name, value: column.write(member) }]
  })
  const parameters = written.map((_, index) => `$${first + index}`)
  return {
    columns: written.map(({ name }) => name).join(', '),
    parameters: parameters.join(', '),
    sets: written.map(({ name }, index) => `${name} = ${parameters[index] ?? ''}`).join(', '),
    values: written.map(({ value }) => value),
  }
}

type ColumnNames = Pick<Column<unknown>, 'name' | 'sql'>

/** A member stored unchanged: text, numbers, booleans, bytes, arrays. JSON is its text. */
export function plain<T>(names: ColumnNames = {}): Column<T> {
  return { ...names, read: (stored) => stored as T, write: (member) => member }
}

/** The tenant of a row. */
export const tenant = plain<string>({ name: 'tenant_id' })

/** A TypeID, kept as its UUID. */
export function typeId(prefix: string, names: ColumnNames = {}): Column<string> {
  return {
    ...names,
    read: (stored) => uuidToTypeId(prefix, stored as string),
    write: (member) => typeIdToUuid(prefix, member),
  }
}

/** Epoch milliseconds, kept as `timestamptz`. */
export function time(names: ColumnNames = {}): Column<number> {
  return { ...names, read: (stored) => (stored as Date).getTime(), write: (member) => new Date(member) }
}

/** The same, or null. */
export function timeOrNull(names: ColumnNames = {}): Column<number | null> {
  const column = time()
  return {
    ...names,
    read: (stored) => (stored === null ? null : column.read(stored)),
    write: (member) => (member === null ? null : column.write(member)),
  }
}
