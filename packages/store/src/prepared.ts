import { createHash } from 'node:crypto'
import type pg from 'pg'
import type { Queryable } from './queryable.ts'

/** A statement, its name and its values. */
export type PreparedQuery = pg.QueryConfig<unknown[]>

const names = new Map<string, string>()

/**
 * A statement that each connection parses once and plans a few times, then runs by name: for statements that run all the
 * time. Its text must be one of a fixed few (a constant), as every text stays in memory here and in each connection.
 */
export function prepared(text: string, values: unknown[]): PreparedQuery {
  let name = names.get(text)
  if (name === undefined) {
    name = `s${createHash('sha256').update(text).digest('hex').slice(0, 20)}`
    names.set(text, name)
  }
  return { name, text, values }
}

/** Makes the question whether a query without parameters finds a row: one read, without a lock. `from` is a constant. */
export function exists(from: string): (db: Queryable) => Promise<boolean> {
  const text = `SELECT EXISTS (SELECT FROM ${from}) AS any`
  return async (db) => (await db.query<{ any: boolean }>(prepared(text, []))).rows[0]?.any === true
}

/** Calls a function of the schema that returns a number. `name` is a constant. */
export async function callFunction(db: Queryable, name: string, values: unknown[]): Promise<number> {
  const parameters = values.map((_, index) => `$${index + 1}`)
  const { rows } = await db.query<{ result: number }>(`SELECT ${name}(${parameters.join(', ')}) AS result`, values)
  return rows[0]?.result ?? 0
}

/**
 * The literal of an array whose members need no quotes (numbers, booleans, UUIDs, plain words; null is NULL), which pg would
 * escape one after another. Never for text that others chose.
 */
export function plainArray(members: readonly (string | number | boolean | null)[]): string {
  return `{${members.map((member) => member ?? 'NULL').join(',')}}`
}
