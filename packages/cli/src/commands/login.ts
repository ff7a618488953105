import type { Command } from '../command/command.ts'
import { printObject } from '../command/print.ts'
import { readStdin } from '../command/read-source.ts'
import { CliError } from '../errors/cli-error.ts'
import { profilePath, removeProfile, writeProfile } from '../settings/profile.ts'
import { checkKey, loginUrl, profileName } from '../settings/read-server.ts'
import { show } from '../terminal/show.ts'

const REMEDY = 'Run: ariftly login --with-token < key.txt'

/** `ariftly login --with-token`: keeps a key, read from standard input, in a profile. */
export const login: Command = {
  name: 'login',
  summary: 'Keep an API key in a profile. The key is read from standard input.',
  description: 'The key is checked against the API first. The profile is a file that only you may read.',
  options: [{ name: 'with-token', summary: 'read the key from standard input', required: true }],
  example: 'ariftly login --with-token --server http://127.0.0.1:8080 < key.txt',
  output: 'cli:Login',
  async run(context) {
    const { flags, env, folders, signal, stdin } = context
    if (stdin.isTTY === true) {
      throw new CliError('key_on_terminal', 'The key would be visible while it is typed.', { remedy: REMEDY })
    }
    const profile = profileName(flags, env)
    const path = profilePath(folders.config, profile)
    const url = loginUrl({ flags, env })
    const apiKey = checkKey(await readStdin(stdin, signal), 'Standard input')
    const client = context.clientOf({ url, apiKey, keySource: 'standard input' })
    const { tenant, scopes } = await client.apiKeys.current({ signal })
    await writeProfile(path, { url, api_key: apiKey })
    await printObject(context, { profile, url, tenant, scopes })
    if (env['ARIFTLY_API_KEY'] || env['ARIFTLY_API_KEY_FILE']) {
      await context.note(show`The key in the environment still takes precedence over this one.`)
    }
  },
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
