import { spawn } from '@lydell/node-pty'
import type { CliOptions } from './start-cli.ts'

/** Runs the command line in a pseudo-terminal, and gives all that the terminal got, as it came. */
export async function startRawTerminal({
  program,
  args,
  env,
}: CliOptions): Promise<{ readonly code: number; readonly text: string }> {
  const pty = spawn(process.execPath, [program, ...args], {
    cols: 120,
    rows: 30,
    name: 'xterm-256color',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  let text = ''
  pty.onData((chunk) => (text += chunk))
  const code = await new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)))
  return { code, text }
}
