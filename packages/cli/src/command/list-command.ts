import type { Ariftly, CallOptions, List } from '@ariftly/sdk'
import { show } from '../terminal/show.ts'
import { AnswerText } from './answer-text.ts'
import type { Command, OptionSpec } from './command.ts'
import type { Input } from './input.ts'
import { readParameters } from './parameters.ts'
import { printItems, type Column } from './print.ts'

/** The parts in which commands of lists differ. */
export interface ListSpec<T extends object, Q> extends Pick<
  Command,
  'name' | 'summary' | 'description' | 'args' | 'example'
> {
  readonly route: string
  /** Schema of an item. */
  readonly output: string
  readonly options?: readonly OptionSpec[]
  readonly columns: readonly Column<T>[]
  readonly list: (client: Ariftly, input: Input, query: Q, options: CallOptions) => List<T>
}

const PAGE: readonly OptionSpec[] = [
  { name: 'limit', shown: 'n', kind: 'integer', min: 1, max: 500, summary: 'items of a page', parameter: 'limit' },
  { name: 'cursor', shown: 'cursor', summary: 'continue after an earlier page', parameter: 'cursor' },
  { name: 'all', summary: 'print all pages' },
]

/** The command of a list: one page, or with `--all` every page. Where more follow, a notice says how to get them. */
export function listCommand<T extends object, Q>(spec: ListSpec<T, Q>, isPaged = true): Command {
  const { route, list, columns, ...rest } = spec
  const options = [...(spec.options ?? []), ...(isPaged ? PAGE : [])]
  return {
    ...rest,
    options,
    routes: [route],
    async run(context, input) {
      const answer = new AnswerText(context)
      const client = await context.client({ fetch: answer.fetch })
      const isAll = !isPaged || input.flag('all')
      const items = list(client, input, readParameters(options, input) as Q, { signal: context.signal })
      let isFirst = true
      for await (const page of items.pages()) {
        const texts = answer.items
        const shown = page.data.map((value, at) => ({ value, text: texts[at] ?? '' }))
        await printItems(context, shown, columns, isFirst)
        isFirst = false
        context.signal.throwIfAborted()
        if (isAll || !page.has_more || page.next_cursor === null) continue
        await context.note(show`More follow: add --all, or${timesOf(options, input)} --cursor ${page.next_cursor}`)
        return
      }
    },
  }
}

/** Times that were given: a cursor belongs to one time, and `1h` is another one each time. */
function timesOf(options: readonly OptionSpec[], input: Input): string {
  const given = options.filter(({ name, kind }) => kind === 'time' && input.text(name) !== undefined)
  return given.map(({ name }) => ` --${name} ${input.text(name)}`).join('')
}
