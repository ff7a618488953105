import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** The folders of this program (XDG Base Directory 0.8): profiles are in `config`, what a command continues from in `state`. */
export function foldersOf(env: NodeJS.ProcessEnv): { readonly config: string; readonly state: string } {
  const home = env['HOME'] || homedir()
  // A relative path is to be ignored.
  const under = (name: string, usual: string) => {
    const folder = env[name]
    return join(folder !== undefined && isAbsolute(folder) ? folder : join(home, usual), 'ariftly')
  }
  return { config: under('XDG_CONFIG_HOME', '.config'), state: under('XDG_STATE_HOME', '.local/state') }
}
