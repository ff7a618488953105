import type { OptionSpec } from './command.ts'

/** Options of every command. They may be given anywhere, so no command has one of the same name: it would be read as this one. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: 'server', shown: 'url', summary: 'the API; otherwise ARIFTLY_URL, then the profile' },
  { name: 'profile', shown: 'name', summary: 'the profile; otherwise ARIFTLY_PROFILE, then "default"' },
  { name: 'json', summary: 'print JSON, one object a line; the default where standard output is no terminal' },
  { name: 'quiet', short: 'q', summary: 'print no notices' },
  { name: 'yes', short: 'y', summary: 'do not ask' },
  { name: 'allow-http', summary: 'let the key go over plain http to other machines' },
]
