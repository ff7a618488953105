import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from '../errors/cli-error.ts'
import { codeOf } from '../errors/code-of.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** Where a key is for, and the key. */
export interface Profile {
  readonly url: string
  readonly api_key: string
}

/** Path of a profile. Throws a CliError for a name that is none. */
export function profilePath(configFolder: string, name: string): string {
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/i.test(name)) {
    throw new CliError('invalid_profile', `${name} is no name of a profile.`, {
      pointer: '--profile',
      remedy: 'Use 1 to 64 letters, digits, - and _.',
    })
  }
  return join(configFolder, 'profiles', `${name}.json`)
}

/** Undefined when there is none. Throws a CliError when it is damaged or others may read it. */
export async function readProfile(path: string): Promise<Profile | undefined> {
  const text = await readPrivateFile(path)
  if (text === undefined) return undefined
  const profile = parse(text)
  if (profile !== undefined) return profile
  throw new CliError('profile_damaged', `${path} is no profile.`, { remedy: `Remove ${path} and log in again.` })
}

/** All profiles, by name. Throws what {@link readProfile} throws. */
export async function listProfiles(
  configFolder: string,
): Promise<readonly { readonly name: string; readonly url: string }[]> {
  const files = await readdir(join(configFolder, 'profiles')).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  const names = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length))
  const listed = []
  for (const name of names.toSorted()) {
    const profile = await readProfile(profilePath(configFolder, name))
    if (profile !== undefined) listed.push({ name, url: profile.url })
  }
  return listed
}

/** Keeps a profile. Throws what the file system throws. */
export async function writeProfile(path: string, profile: Profile): Promise<void> {
  await writePrivateFile(path, `${JSON.stringify(profile, null, 2)}\n`)
}

/** Answers whether there was one. */
export async function removeProfile(path: string): Promise<boolean> {
  if ((await readPrivateFile(path)) === undefined) return false
  await rm(path)
  return true
}

function parse(text: string): Profile | undefined {
  try {
    const { url, api_key } = JSON.parse(text) as Partial<Record<keyof Profile, unknown>>
    return typeof url === 'string' && typeof api_key === 'string' ? { url, api_key } : undefined
  } catch {
    return undefined
  }
}
