import { readFile } from 'node:fs/promises'
import type { Server, ServerFlags } from '../command/context.ts'
import { CliError } from '../errors/cli-error.ts'
import { EXIT } from '../errors/exit-code.ts'
import { codeOf } from '../errors/code-of.ts'
import { profilePath, readProfile } from './profile.ts'

/** What {@link readServer} chooses from. */
export interface ServerSettings {
  readonly flags: ServerFlags
  readonly env: NodeJS.ProcessEnv
  readonly configFolder: string
}

/**
 * URL and key: a flag wins over the environment, and that over the profile. There is no URL by default: a variable that was forgotten must not send a
 * key to another host. The key of a profile goes to the server of that profile alone. Throws a CliError: exit code 4 where there is no key, 1 where
 * there is no URL, or one that a key must not go to.
 */
export async function readServer({ flags, env, configFolder }: ServerSettings): Promise<Server> {
  const name = profileName(flags, env)
  const profile = await readProfile(profilePath(configFolder, name))
  const kept = profile === undefined ? undefined : { text: profile.url, source: `profile ${name}` }
  const url = checkUrl(askedUrl({ flags, env }) ?? kept, flags.allowHttp ?? false)
  const fromEnv = await keyOf(env)
  if (fromEnv !== undefined) return { url, ...fromEnv }
  if (profile === undefined) {
    throw needsKey(`There is no API key for ${url}.`)
  }
  if (originOf(url) !== originOf(profile.url)) {
    throw needsKey(`The key of the profile ${name} is for ${profile.url}, not for ${url}.`)
  }
  return { url, apiKey: profile.api_key, keySource: `profile ${name}` }
}

/** The profile that is asked for. */
export function profileName(flags: ServerSettings['flags'], env: NodeJS.ProcessEnv): string {
  return flags.profile ?? nonEmpty(env['ARIFTLY_PROFILE']) ?? 'default'
}

/** Which URL `login` is for. */
export function loginUrl({ flags, env }: Omit<ServerSettings, 'configFolder'>): string {
  return checkUrl(askedUrl({ flags, env }), flags.allowHttp ?? false)
}

/** A URL that is not checked yet, and where it is from. */
interface GivenUrl {
  readonly text: string
  readonly source: string
}

function askedUrl({ flags, env }: Omit<ServerSettings, 'configFolder'>): GivenUrl | undefined {
  if (flags.server !== undefined) return { text: flags.server, source: '--server' }
  const text = nonEmpty(env['ARIFTLY_URL'])
  return text === undefined ? undefined : { text, source: 'ARIFTLY_URL' }
}

/** The text of a key without the line break at its end. Throws a CliError when it is none. */
export function checkKey(text: string, source: string): string {
  const key = text.trim()
  // A key with characters that a header cannot hold; the message must not contain it.
  if (/^[\x21-\x7e]{1,1024}$/.test(key)) return key
  throw needsKey(key === '' ? `${source} holds no API key.` : `What ${source} holds is no API key.`)
}

/** The URL without a slash at its end. Throws a CliError unless there is one that keys may go to. */
function checkUrl(given: GivenUrl | undefined, allowHttp: boolean): string {
  if (given === undefined) {
    throw new CliError('needs_server', 'ARIFTLY_URL is not set: the address of the API is not known.', {
      pointer: 'ARIFTLY_URL',
      remedy: 'Set ARIFTLY_URL, add --server <url>, or run: ariftly login --server <url>',
    })
  }
  const { text, source: pointer } = given
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new CliError('invalid_url', `${text} is no http or https URL.`, { pointer })
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new CliError('invalid_url', 'The URL of the API has neither a user, a query nor a fragment.', { pointer })
  }
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    throw new CliError('plain_http', `A key would go to ${url.host} over plain http, where others can read it.`, {
      pointer,
      remedy: 'Use https, or --allow-http.',
    })
  }
  return url.href.replace(/\/+$/, '')
}

/** Whether the host of a URL is this machine by its name: `localhost`, 127.0.0.0/8, `[::1]`. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

async function keyOf(env: NodeJS.ProcessEnv): Promise<Pick<Server, 'apiKey' | 'keySource'> | undefined> {
  const key = nonEmpty(env['ARIFTLY_API_KEY'])
  if (key !== undefined) return { apiKey: checkKey(key, 'ARIFTLY_API_KEY'), keySource: 'ARIFTLY_API_KEY' }
  const path = nonEmpty(env['ARIFTLY_API_KEY_FILE'])
  if (path === undefined) return undefined
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw needsKey(`ARIFTLY_API_KEY_FILE cannot be read: ${path} (${codeOf(error) ?? 'unknown'}).`)
  })
  return { apiKey: checkKey(text, path), keySource: path }
}

function needsKey(message: string): CliError {
  const remedy = 'Set ARIFTLY_API_KEY or ARIFTLY_API_KEY_FILE, or run: ariftly login'
  return new CliError('needs_key', message, { exit: EXIT.needsKey, remedy })
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
