import type { Command } from '../command/command.ts'
import type { Context } from '../command/context.ts'
import { printItems, printObject } from '../command/print.ts'
import { readStdin } from '../command/read-source.ts'
import { CliError } from '../errors/cli-error.ts'
import { listProfiles, profilePath, removeProfile, writeProfile } from '../settings/profile.ts'
import { checkKey, loginUrl, profileName } from '../settings/read-server.ts'
import { ask, canAsk } from '../terminal/ask.ts'
import { show } from '../terminal/show.ts'

const REMEDY = 'Run: ariftly login --with-token < key.txt'

/** `ariftly login`: keeps a key in a profile. It is never an argument. */
export const login: Command = {
  name: 'login',
  summary: 'Keep an API key in a profile. It is asked for, or read from standard input.',
  description:
    'On a terminal the key is asked for and not shown; elsewhere it is read from standard input. It is checked against the API first. The profile is a file that only you may read.',
  options: [{ name: 'with-token', summary: 'do not ask: read the key from standard input' }],
  example: 'ariftly login --with-token --server http://127.0.0.1:8080 < key.txt',
  output: 'cli:Login',
  async run(context, input) {
    const { flags, env, folders, signal } = context
    const profile = profileName(flags, env)
    const path = profilePath(folders.config, profile)
    const isAsking = canAsk(context) && !input.flag('with-token')
    const url = await urlToLogInTo(context, isAsking)
    const apiKey = isAsking
      ? checkKey(await ask(context, show`API key for ${url}:`, true), 'What was typed')
      : checkKey(await readKey(context), 'Standard input')
    const client = context.clientOf({ url, apiKey, keySource: 'standard input' })
    const { tenant, scopes } = await client.apiKeys.current({ signal })
    await writeProfile(path, { url, api_key: apiKey })
    await printObject(context, { profile, url, tenant, scopes })
    if (env['ARIFTLY_API_KEY'] || env['ARIFTLY_API_KEY_FILE']) {
      await context.note(show`The key in the environment still takes precedence over this one.`)
    }
  },
}

async function urlToLogInTo(context: Context, isAsking: boolean): Promise<string> {
  const { flags, env } = context
  if (!isAsking || flags.server !== undefined || env['ARIFTLY_URL']) return loginUrl({ flags, env })
  const server = (await ask(context, show`Address of the API:`)).trim()
  return loginUrl({ flags: { ...flags, server }, env })
}

async function readKey({ stdin, signal }: Context): Promise<string> {
  if (stdin.isTTY !== true) return await readStdin(stdin, signal)
  throw new CliError('key_on_terminal', 'The key would be visible while it is typed.', { remedy: REMEDY })
}

/** `ariftly logout`: removes a profile. */
export const logout: Command = {
  name: 'logout',
  summary: 'Remove a profile with its key. The key itself stays valid: ariftly keys revoke.',
  example: 'ariftly logout --profile default',
  output: 'cli:Logout',
  async run(context) {
    const profile = profileName(context.flags, context.env)
    const removed = await removeProfile(profilePath(context.folders.config, profile))
    await printObject(context, { profile, removed })
  },
}

/** `ariftly profiles`: what `login` has kept. */
export const profiles: Command = {
  name: 'profiles',
  summary: 'List the profiles: a server each, and which of them is chosen. Keys are not shown.',
  example: 'ariftly profiles',
  output: 'cli:Profile',
  async run(context) {
    const chosen = profileName(context.flags, context.env)
    const listed = await listProfiles(context.folders.config)
    const items = listed.map(({ name, url }) => ({ profile: name, url, chosen: name === chosen }))
    await printItems(
      context,
      items.map((value) => ({ value, text: JSON.stringify(value) })),
      [
        { title: 'PROFILE', value: ({ profile }) => profile },
        { title: 'CHOSEN', value: (each) => (each.chosen ? 'yes' : '') },
        { title: 'SERVER', value: ({ url }) => url },
      ],
      true,
    )
  },
}
