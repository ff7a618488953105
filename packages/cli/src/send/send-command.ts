import type { Command } from '../command/command.ts'
import { printObject } from '../command/print.ts'
import { EXIT } from '../errors/exit-code.ts'
import { runSend } from './run-send.ts'

/** `ariftly events send`. */
export const send: Command = {
  name: 'send',
  summary: 'Send events: one JSON object a line, from a file or standard input.',
  description:
    'Of a file the progress is kept: the same command continues after a crash and doubles nothing. Standard input is read once. Exit code 1 when lines were refused.',
  options: [
    { name: 'file', short: 'f', shown: 'path', summary: 'NDJSON; otherwise standard input' },
    { name: 'rate', kind: 'number', min: 0.001, max: 1_000_000, shown: 'n', summary: 'events a second at most' },
    { name: 'rejects', shown: 'path', summary: 'where refused lines are written, to be corrected and sent again' },
    { name: 'again', summary: 'send a completely sent file again, as new events' },
  ],
  example: 'ariftly events send -f events.ndjson --rejects refused.ndjson',
  output: 'cli:SendResult',
  async run(context, input) {
    const result = await runSend(context, {
      file: input.text('file'),
      rate: input.number('rate'),
      rejects: input.text('rejects'),
      again: input.flag('again'),
    })
    await printObject(context, result)
    return result.refused === 0 ? EXIT.done : EXIT.failed
  },
}
