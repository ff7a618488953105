/** A block of a page that shows commands and what they print. */
export interface RecordedSession {
  /** The whole block, with its fences. */
  readonly block: string
  /** The text behind `$ `. */
  readonly commands: readonly string[]
}

/** The blocks of a page that are marked `console`. */
export function recordedSessions(page: string): readonly RecordedSession[] {
  return [...page.matchAll(/^```console\n([^]*?)^```$/gm)].map(([block, text = '']) => {
    const commands = text.split('\n').filter((line) => line.startsWith('$ '))
    return { block, commands: commands.map((line) => line.slice(2)) }
  })
}

/** A block of a page, with what each command printed. */
export function renderSession(printed: readonly { readonly command: string; readonly text: string }[]): string {
  const texts = printed.map(({ command, text }) => `$ ${command}\n${text}`)
  return `\`\`\`console\n${texts.join('')}\`\`\``
}

/** Replaces what differs between runs: ids, times, durations, addresses, secrets. */
export class Normalizer {
  readonly #ids = new Map<string, string>()

  normalize(text: string): string {
    return text
      .replaceAll(/\b([a-z]+)_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g, (id, prefix: string) => this.#idFor(id, prefix))
      .replaceAll(/\b20\d\d-\d\d-\d\dT[\d:.]+Z/g, '2026-11-28T10:41:03.000Z')
      .replaceAll(/[+-]\d+ ms\b/g, '+5 ms')
      .replaceAll(/\d+ ms\b/g, '5 ms')
      .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://localhost:8080')
      .replaceAll(/whsec_[\w+/=]+/g, 'whsec_…')
      .replaceAll(/(request\s+)\S+/g, '$1req_1')
      .replaceAll(/Node \d+\.\d+\.\d+/g, 'Node 20.19.0')
      .replaceAll(/\S*\/cli-home-\w+/g, '/home/me')
  }

  #idFor(id: string, prefix: string): string {
    const known = this.#ids.get(id)
    if (known !== undefined) return known
    const next = `${prefix}_01jdsy${String(this.#ids.size + 1).padStart(20, '0')}`
    this.#ids.set(id, next)
    return next
  }
}
