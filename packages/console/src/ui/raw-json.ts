/** A number as it was written: `1.0` and 2^63 are other numbers in JavaScript. */
export class RawNumber {
  readonly source: string

  constructor(source: string) {
    this.source = source
  }
}

/** Parsed JSON whose numbers keep their text. */
export type Json = string | boolean | null | RawNumber | readonly Json[] | { readonly [name: string]: Json }

/** Reads JSON. Browsers without "JSON.parse source text access" (ECMAScript proposal, stage 4) show numbers as JavaScript has them. */
export function parseRawJson(text: string): Json {
  return JSON.parse(text, (_name, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' ? new RawNumber(context?.source ?? String(value)) : value,
  ) as Json
}
