import type { Command } from '../command/command.ts'
import { LISTEN_OPTIONS, readListenOptions } from './listen-options.ts'
import { retryFailed } from './retry-failed.ts'
import { runListen } from './run-listen.ts'

/** `ariftly listen`. */
export const listen: Command = {
  name: 'listen',
  summary: 'Forward events to a program on this machine, signed as webhooks are.',
  description:
    'It continues where it was: no event is lost when it is killed. Events of a task arrive in order. An event may be repeated after a kill, as from any webhook: its webhook-id is the same.',
  options: LISTEN_OPTIONS,
  example: "ariftly listen --forward-to http://localhost:3000/hook --since 1h --events 'task.*'",
  output: 'cli:ForwardedEvent',
  async run(context, input) {
    const options = readListenOptions(context, input)
    if (options.retriesFailed) return await retryFailed(context, options)
    await runListen(context, options)
    return undefined
  },
}
