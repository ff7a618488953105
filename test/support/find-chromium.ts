import { findProgram } from './find-program.ts'

/** As root, and without the requests that a browser makes of its own. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The path of Chromium. */
export function findChromium(): string {
  return findProgram('chromium')
}
