/**
 * Text that a terminal may get: text from outside is escaped in it. It is made by {@link show}, {@link literal} and styles alone, so that
 * the compiler finds text that was not escaped.
 */
export class Shown {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** The printed form. */
  toString(): string {
    return this.text
  }
}

/** Literal text with values in it: each value is escaped, unless it is {@link Shown}. */
export function show(parts: TemplateStringsArray, ...values: readonly unknown[]): Shown {
  const texts = values.map((value) => (value instanceof Shown ? value.text : escapeText(String(value))))
  return new Shown(parts.reduce((text, part, at) => `${text}${texts[at - 1] ?? ''}${part}`))
}

/** Text of this program itself; it may hold line breaks. */
export function literal(text: string): Shown {
  return new Shown(text)
}

/** Joins what may be shown. */
export function joinShown(parts: readonly Shown[], separator: string): Shown {
  return new Shown(parts.map(({ text }) => text).join(separator))
}

/** `text` on one line, with all that a terminal obeys or hides written as `\x1b`, `\u{202e}`, `\n`. */
export function escapeText(text: string): string {
  return text.replaceAll(HIDDEN, (char) => {
    const code = char.codePointAt(0) ?? 0
    return NAMED[char] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u{${hex(code, 4)}}`)
  })
}

/** The same JSON text, with what {@link escapeText} escapes written as `\u001b`: such characters are in its strings alone. */
export function escapeJson(text: string): string {
  return text.replaceAll(HIDDEN, (char) =>
    Array.from({ length: char.length }, (_, at) => `\\u${hex(char.charCodeAt(at), 4)}`).join(''),
  )
}

/**
 * Control characters (C1 too, which some terminals obey), marks that change the direction of text, what is not seen, separators of lines, and
 * halves of surrogate pairs.
 */
const HIDDEN =
  /[\p{Cc}\p{Bidi_Control}\p{Surrogate}\p{Zl}\p{Zp}\u00ad\u115f\u1160\u180e\u200b-\u200d\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e007f}]/gu
const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0')
