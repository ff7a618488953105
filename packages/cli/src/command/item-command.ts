import type { Ariftly, CreateOptions } from '@ariftly/sdk'
import { AnswerText } from './answer-text.ts'
import type { Command } from './command.ts'
import type { Input } from './input.ts'
import { readBody, readParameters } from './parameters.ts'
import { printObject, printText } from './print.ts'

/** The parts in which commands of one call differ. */
export interface ItemSpec<B extends object> extends Pick<
  Command,
  'name' | 'summary' | 'description' | 'args' | 'options' | 'asks' | 'asksUnless' | 'example'
> {
  readonly route: string
  /** Schema of the answer; without one, what is printed says that the thing is gone (`cli:Gone`). */
  readonly output?: string
  /** Makes the call. `members` are the query or the body that the options say. */
  readonly call: (client: Ariftly, input: Input, members: B, options: CreateOptions) => Promise<object | void>
}

/** The command of one call, whose answer is printed. */
export function itemCommand<B extends object = object>(spec: ItemSpec<B>): Command {
  const { route, call, output = 'cli:Gone', ...rest } = spec
  const options = spec.options ?? []
  const has = (wanted: string) => options.some(({ name }) => name === wanted)
  return {
    ...rest,
    routes: [route],
    output,
    async run(context, input) {
      const members = (has('body') ? readBody(options, input) : readParameters(options, input)) as B
      const idempotencyKey = has('idempotency-key') ? input.text('idempotency-key') : undefined
      const answer = new AnswerText(context)
      const client = await context.client({ fetch: answer.fetch })
      const value = await call(client, input, members, { signal: context.signal, idempotencyKey })
      if (value !== undefined) await printText(context, answer.text)
      else await printObject(context, { id: input.required(spec.args?.at(-1)?.name ?? 'id'), gone: true })
    },
  }
}
