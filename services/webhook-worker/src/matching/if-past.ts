/**
 * SQL: a time that was the current one when it was written, of `column`; null while it lies in the future, as the clock of Postgres was
 * set back since then.
 */
export function ifPast(column: string): string {
  return `CASE WHEN ${column} <= clock_timestamp() THEN ${column} END`
}
