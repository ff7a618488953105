import pg from 'pg'

/** Ids of types in `pg_type`. */
const OID = { int8: 20, json: 114 } as const

/**
 * How column values become JavaScript: `int8` is a number (RangeError past 2^53, which no offset or count of ours
 * reaches), `json` stays the text that was stored (*pg's own parser would round its numbers*). All else is pg's default:
 * `timestamptz` is a Date, `uuid` its text form, `numeric` a string.
 */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format: 'text' | 'binary' = 'text') {
    if (format === 'text' && oid === OID.int8) return parseInt8
    if (format === 'text' && oid === OID.json) return keepText
    const parserOf: (oid: number, format: 'text' | 'binary') => unknown = pg.types.getTypeParser
    return parserOf(oid, format)
  },
}

function parseInt8(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError('int8 value is beyond 2^53')
  return value
}

function keepText(text: string): string {
  return text
}
