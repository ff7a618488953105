import { CHECK_KEYWORD } from './checks.ts'

/** A schema, or a document with schemas in it, in its published form: plain JSON without our own keyword. */
export function published(document: object): unknown {
  return JSON.parse(JSON.stringify(document, (name, value: unknown) => (name === CHECK_KEYWORD ? undefined : value)))
}
