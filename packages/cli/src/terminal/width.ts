/** Columns of a terminal that a text without styles takes. */
export function widthOf(text: string): number {
  let width = 0
  for (const char of text) width += WIDE.test(char) ? 2 : 1
  return width
}

/** The beginning of a text without styles, in at most so many columns. */
export function cutTo(text: string, columns: number): string {
  let width = 0
  let cut = ''
  for (const char of text) {
    width += WIDE.test(char) ? 2 : 1
    if (width > columns) break
    cut += char
  }
  return cut
}

/** The same, with an ellipsis in place of what is cut off. */
export function shorten(text: string, columns: number): string {
  return widthOf(text) <= columns ? text : `${cutTo(text, columns - 1)}…`
}

/** East Asian and emoji characters, which a terminal shows in two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f000}-\u{3fffd}]/u
