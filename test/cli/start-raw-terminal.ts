import { spawn } from '@lydell/node-pty'
import type { CliOptions } from './start-cli.ts'

/** Runs a program in a pseudo-terminal, JavaScript with this Node, and gives all that the terminal got. */
export async function startRawTerminal(
  { program, args, env }: CliOptions,
  { columns = 120 }: { readonly columns?: number } = {},
): Promise<{ readonly code: number; readonly text: string }> {
  const [file, argv] = program.startsWith('/bin/') ? [program, [...args]] : [process.execPath, [program, ...args]]
  const pty = spawn(file, argv, {
    cols: columns,
    rows: 30,
    name: 'xterm-256color',
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  let text = ''
  pty.onData((chunk) => (text += chunk))
  const code = await new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)))
  return { code, text }
}
