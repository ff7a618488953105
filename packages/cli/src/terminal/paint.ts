import picocolors from 'picocolors'
import { escapeText, Shown } from './show.ts'

/** Puts text in a style; text that is no {@link Shown} is escaped. */
type Style = (text: string | Shown) => Shown

/** The styles of a stream; without colours each returns text unchanged. */
export type Paint = Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', Style>>

/** The styles for a stream with or without colours. */
export function createPaint(isColored: boolean): Paint {
  const colors = picocolors.createColors(isColored)
  return {
    bold: style(colors.bold),
    dim: style(colors.dim),
    red: style(colors.red),
    green: style(colors.green),
    yellow: style(colors.yellow),
    cyan: style(colors.cyan),
  }
}

/** Whether a stream gets colours: `NO_COLOR` and `TERM=dumb` turn them off, `CLICOLOR_FORCE` on where there is no terminal. */
export function hasColors(isTty: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  const force = env['CLICOLOR_FORCE']
  if (force !== undefined && force !== '' && force !== '0') return true
  return isTty && env['TERM'] !== 'dumb'
}

function style(color: (text: string) => string): Style {
  return (text) => new Shown(color(text instanceof Shown ? text.text : escapeText(text)))
}
