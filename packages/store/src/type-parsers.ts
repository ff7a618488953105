import pg from 'pg'

const { builtins } = pg.types

/**
 * How column values become JavaScript: `int8` is a number (RangeError past 2^53, which no offset or count of ours
 * reaches), `json` stays the text that was stored (*pg's own parser would round its numbers*). All else is pg's default:
 * `timestamptz` is a Date, `uuid` its text form, `numeric` a string.
 */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format === 'binary') return pg.types.getTypeParser(oid, 'binary')
    switch (oid) {
      case builtins.INT8:
        return parseInt8
      case builtins.JSON:
        return keepText
      default:
        return pg.types.getTypeParser(oid, 'text')
    }
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
