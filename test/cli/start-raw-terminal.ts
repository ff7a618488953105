import { randomUUID } from 'node:crypto'
import { spawn } from '@lydell/node-pty'
import type { CliOptions } from './start-cli.ts'

/** Prints `$0` and the exit code behind what the program printed, and keeps the terminal open after that. */
const SCRIPT = `"$@"; printf '%s %d.' "$0" "$?"; read -r _`

/**
 * Runs a program in a pseudo-terminal, JavaScript with this Node, and gives all that the terminal got. A pseudo-terminal that is closed loses
 * what was not read: here it is open until all is read.
 */
export async function startRawTerminal(
  { program, args, env }: CliOptions,
  { columns = 120 }: { readonly columns?: number } = {},
): Promise<{ readonly code: number; readonly text: string }> {
  const command = program.startsWith('/bin/') ? [program, ...args] : [process.execPath, program, ...args]
  const mark = randomUUID()
  const pty = spawn('/bin/sh', ['-c', SCRIPT, mark, ...command], {
    cols: columns,
    rows: 30,
    name: 'xterm-256color',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  const exited = new Promise<void>((resolve) => pty.onExit(() => resolve()))
  const end = new RegExp(`${mark} (\\d+)\\.$`)
  let text = ''
  const code = await new Promise<number>((resolve, reject) => {
    pty.onData((chunk) => {
      text += chunk
      // Searched at the end alone: the text may be long.
      const found = end.exec(text.slice(-mark.length - 10))
      if (found !== null) resolve(Number(found[1]))
    })
    void exited.then(() => reject(new Error(`The shell of ${program} has ended.`)))
  })
  pty.kill()
  await exited
  return { code, text: text.slice(0, text.lastIndexOf(mark)) }
}
