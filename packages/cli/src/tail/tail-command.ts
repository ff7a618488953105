import type { Command } from '../command/command.ts'
import { AGENT, SESSION, TASK } from '../commands/resources/options.ts'
import { CliError } from '../errors/cli-error.ts'
import { runTail } from './run-tail.ts'

/** `ariftly events tail`. */
export const tail: Command = {
  name: 'tail',
  summary: 'Print events as they happen, each once.',
  description:
    'It reconnects when the connection is cut, and says so. It ends at an event of --until, at --timeout (exit code 1 where --until was not met), or when cancelled.',
  options: [
    TASK,
    SESSION,
    AGENT,
    {
      name: 'type',
      shown: 'types',
      kind: 'list',
      summary: 'types and groups (task.*), separated by commas; default: all',
    },
    { name: 'since', shown: 'time', kind: 'time', summary: 'start: 10m ago, or 2026-11-28T10:00:00Z' },
    { name: 'until', shown: 'types', kind: 'list', summary: 'ends after an event of these types' },
    { name: 'timeout', shown: 'time', kind: 'duration', min: 1, summary: 'ends after this time' },
    { name: 'no-follow', summary: 'ends when all present events are printed; needs --since' },
    { name: 'accept-gap', summary: 'continue where events may be missing, instead of ending' },
  ],
  example: 'ariftly events tail --task t_1 --since 10m --until task.complete,task.failed --timeout 5m',
  output: 'api:Event',
  async run(context, input) {
    if (input.flag('no-follow') && input.text('since') === undefined) {
      throw new CliError('usage', '--no-follow needs --since: without it there are no present events.', {
        pointer: '--since',
        remedy: 'Add the time to begin at: --since 1h',
      })
    }
    return await runTail(context, {
      task: input.text('task'),
      session: input.text('session'),
      agent: input.text('agent'),
      types: input.list('type'),
      after: input.text('since'),
      until: input.list('until'),
      timeoutMs: input.number('timeout'),
      isFollowing: !input.flag('no-follow'),
      acceptsGap: input.flag('accept-gap'),
    })
  },
}
