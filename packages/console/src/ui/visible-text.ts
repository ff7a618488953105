/** Text in which nothing is hidden: most of it. */
const PLAIN = /^[\t\n -~]*$/
/** Controls but tab and line feed, zero-width and bidi characters, and line separators (Unicode TR 9 and TR 36). */
const HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Text of strangers with characters that are invisible, or change the order of others, written as `\u{202e}`. */
export function visibleText(text: string): string {
  if (PLAIN.test(text)) return text
  return text.replaceAll(HIDDEN, (found) => `\\u{${found.codePointAt(0)?.toString(16) ?? ''}}`)
}
