/** A line of input; `number` begins at 1. */
export interface InputLine {
  readonly number: number
  readonly text: string
}

/**
 * The lines of NDJSON, without their ends; lines of white space alone are left out but counted. Text that is not UTF-8 has replacement characters. A
 * line may be of any length that fits into memory.
 */
export async function* readLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<readonly InputLine[], void> {
  const decoder = new TextDecoder()
  let rest = ''
  let number = 0
  const take = (texts: readonly string[]) =>
    texts.flatMap((text) => {
      number += 1
      const trimmed = text.trim()
      return trimmed === '' ? [] : [{ number, text: trimmed }]
    })
  for await (const chunk of input) {
    const text = decoder.decode(chunk, { stream: true })
    const end = text.lastIndexOf('\n')
    if (end < 0) {
      rest += text
      continue
    }
    yield take(`${rest}${text.slice(0, end)}`.split('\n'))
    rest = text.slice(end + 1)
  }
  yield take([rest + decoder.decode()])
}
