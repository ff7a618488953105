import type { Output } from './output.ts'
import type { Shown } from './show.ts'
import { cutTo } from './width.ts'

/** The last line of a terminal, redrawn in place while other lines are printed above it. Where standard error is no terminal it draws nothing. */
export interface StatusLine {
  /** Draws this text from now on; without styles. */
  show(text: Shown): void
  /** Lets `write` print lines, on this terminal or elsewhere, without mixing them with the status. */
  above(write: () => Promise<void>): Promise<void>
  /** Removes the line. */
  close(): void
}

/** The status is drawn again this long after a line above it, so that many lines cost one redraw. */
const REDRAW_MS = 50
const ERASE_LINE = '\r\x1b[2K'

/** A status line on standard error. It is as wide as the terminal at most, so that it stays one line. */
export function createStatusLine({ isTty, stream }: Pick<Output, 'isTty' | 'stream'>): StatusLine {
  if (!isTty) return { show: () => undefined, above: async (write) => await write(), close: () => undefined }
  let text = ''
  let drawn = ''
  let timer: NodeJS.Timeout | undefined

  function draw(): void {
    timer = undefined
    const cut = cutTo(text, (stream.columns ?? 80) - 1)
    if (cut === drawn) return
    stream.write(`${ERASE_LINE}${cut}`)
    drawn = cut
  }
  function erase(): void {
    if (drawn === '') return
    stream.write(ERASE_LINE)
    drawn = ''
  }
  function resize(): void {
    drawn = ''
    draw()
  }
  stream.on('resize', resize)
  return {
    show(shown) {
      text = shown.text
      if (timer === undefined) draw()
    },
    async above(write) {
      erase()
      timer ??= setTimeout(draw, REDRAW_MS)
      await write()
    },
    close() {
      clearTimeout(timer)
      stream.off('resize', resize)
      erase()
    },
  }
}
