// Preloaded into a process: its clock is ahead by the milliseconds in the file JUMPING_CLOCK_FILE, read every 20 ms. Timers and
// `performance` are not affected, as when the clock of a machine is set.
import { readFileSync } from 'node:fs'

const file = process.env.JUMPING_CLOCK_FILE
const RealDate = Date
let aheadMs = 0

setInterval(() => {
  try {
    aheadMs = Number(readFileSync(file, 'utf8'))
  } catch {
    // Not written yet.
  }
}, 20).unref()

globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + aheadMs)
    else super(...parts)
  }

  static now() {
    return RealDate.now() + aheadMs
  }
}
