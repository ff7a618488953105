import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Command } from '../command/command.ts'
import { printObject } from '../command/print.ts'
import { CliError } from '../errors/cli-error.ts'

/** Pages of the console, by what an id begins with. All else is a task, as in the console's own field for ids. */
const PAGES: readonly (readonly [prefix: string, page: string])[] = [
  ['evt_', '/events/'],
  ['whk_', '/webhooks/'],
  ['dlv_', '/deliveries?delivery='],
  ['rdl_', '/deliveries?redelivery='],
  ['', '/tasks/'],
]
/** How long a program may take to say that it cannot be started, or that it has no browser. */
const START_MS = 3000

/** `ariftly open <id>`: the page of the console. */
export const open: Command = {
  name: 'open',
  summary: 'Open the console in a browser, at a task, event, webhook, delivery or redelivery.',
  description: 'Where standard output is no terminal, the address alone is printed.',
  args: [{ name: 'id', summary: 'any id; without one, the first page', optional: true }],
  options: [{ name: 'print', summary: 'print the address, and start no browser' }],
  example: 'ariftly open whk_01h455vb4pex5vsknk084sn02q',
  output: 'cli:Link',
  async run(context, input) {
    const { url: server } = await context.server()
    const url = `${server}/console${fragmentOf(input.text('id'))}`
    await printObject(context, { url })
    if (context.isTty && !context.json && !input.flag('print')) await startBrowser(url, context.env)
  },
}

/** The part of the address behind `/console`. */
export function fragmentOf(id: string | undefined): string {
  const page = PAGES.find(([prefix]) => id?.startsWith(prefix))?.[1]
  return page === undefined ? '' : `#${page}${encodeURIComponent(id ?? '')}`
}

/** Throws a CliError `no_browser`. Does not wait for the browser to exit. */
async function startBrowser(url: string, env: NodeJS.ProcessEnv): Promise<void> {
  const [program, ...args] = browserOf(env)
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true, env })
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(START_MS) })
  const code = await ended.then(
    ([exitCode]) => exitCode as number | null,
    (error: Error) => (error.name === 'AbortError' ? 0 : 1),
  )
  child.unref()
  if (code === 0) return
  throw new CliError('no_browser', `${program} could not open a browser.`, { remedy: 'Open the address yourself.' })
}

function browserOf({ BROWSER: own }: NodeJS.ProcessEnv): readonly [string, ...string[]] {
  if (own) return [own]
  if (process.platform === 'darwin') return ['open']
  // No shell reads the address.
  return process.platform === 'win32' ? ['rundll32', 'url.dll,FileProtocolHandler'] : ['xdg-open']
}
