import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from '@jest/globals'
import { foldersOf } from './folders.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'
import { profilePath, readProfile, removeProfile, writeProfile } from './profile.ts'
import { loginUrl, readServer } from './read-server.ts'

const KEY = 'ak_of_the_profile'
let config: string

beforeEach(() => {
  config = join(mkdtempSync(join(tmpdir(), 'ariftly-settings-')), 'ariftly')
})

const server = async (env: NodeJS.ProcessEnv, flags: { server?: string; profile?: string; allowHttp?: boolean } = {}) =>
  await readServer({ flags, env, configFolder: config })

describe('a private file', () => {
  test('and its folder are their owner’s alone, and it is written whole', async () => {
    const path = join(config, 'a', 'one.json')
    await writePrivateFile(path, 'x')
    await writePrivateFile(path, 'y')
    expect(await readPrivateFile(path)).toBe('y')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(config, 'a')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(config, 'a'))).toEqual(['one.json'])
  })

  test.each([
    ['file', 0o640],
    ['file', 0o606],
    ['folder', 0o755],
  ])('whose %s has mode %o is refused', async (which, mode) => {
    const path = join(config, 'one.json')
    await writePrivateFile(path, 'x')
    chmodSync(which === 'file' ? path : config, mode)
    await expect(readPrivateFile(path)).rejects.toMatchObject({ code: 'file_not_private' })
  })

  test('that is not there is undefined', async () => {
    expect(await readPrivateFile(join(config, 'none'))).toBeUndefined()
  })

  test('is not written into a folder that others may read', async () => {
    mkdirSync(config, { mode: 0o755 })
    await expect(writePrivateFile(join(config, 'one'), 'x')).rejects.toMatchObject({ code: 'file_not_private' })
  })
})

describe('the server', () => {
  beforeEach(async () => {
    await writeProfile(profilePath(config, 'default'), { url: 'https://profile.example', api_key: KEY })
  })

  test('is that of the flag, then of the environment, then of the profile', async () => {
    const env = { ARIFTLY_URL: 'https://env.example/', ARIFTLY_API_KEY: 'k' }
    expect(await server(env, { server: 'https://flag.example/api/' })).toMatchObject({
      url: 'https://flag.example/api',
      apiKey: 'k',
    })
    expect(await server(env)).toMatchObject({ url: 'https://env.example', apiKey: 'k' })
    expect(await server({})).toEqual({ url: 'https://profile.example', apiKey: KEY, keySource: 'profile default' })
  })

  test('the key of the environment goes before that of a file, and both before the profile’s', async () => {
    const file = join(config, 'key')
    writeFileSync(file, 'from-file\n')
    expect(await server({ ARIFTLY_API_KEY_FILE: file })).toMatchObject({ apiKey: 'from-file', keySource: file })
    expect(await server({ ARIFTLY_API_KEY_FILE: file, ARIFTLY_API_KEY: 'k' })).toMatchObject({ apiKey: 'k' })
  })

  test.each<[NodeJS.ProcessEnv]>([[{}], [{ ARIFTLY_URL: '', ARIFTLY_API_KEY: 'k' }]])(
    'is no host by default: with %j the error says what to set',
    async (env) => {
      const wanted = {
        code: 'needs_server',
        exit: 1,
        message: expect.stringContaining('ARIFTLY_URL'),
        remedy: expect.stringMatching(/ARIFTLY_URL.*--server.*ariftly login/),
      }
      await expect(server(env, { profile: 'none' })).rejects.toMatchObject(wanted)
      expect(() => loginUrl({ flags: {}, env })).toThrow(expect.objectContaining(wanted))
    },
  )

  test('does not get the key of a profile that is for another one', async () => {
    await expect(server({}, { server: 'https://elsewhere.example' })).rejects.toMatchObject({
      code: 'needs_key',
      exit: 4,
    })
  })

  test.each(['http://example.com', 'http://10.0.0.1:8080', 'http://127.0.0.1.example.com', 'http://localhost.example'])(
    'gets no key over plain http: %s',
    async (url) => {
      await expect(server({ ARIFTLY_API_KEY: 'k' }, { server: url })).rejects.toMatchObject({
        code: 'plain_http',
        exit: 1,
      })
      expect(await server({ ARIFTLY_API_KEY: 'k' }, { server: url, allowHttp: true })).toMatchObject({ apiKey: 'k' })
    },
  )

  test.each(['http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080'])(
    'may be plain http on this machine: %s',
    async (url) => {
      expect(await server({ ARIFTLY_API_KEY: 'k' }, { server: url })).toMatchObject({ url })
    },
  )

  test.each(['ftp://x', 'nonsense', 'https://user:pass@example.com', 'https://example.com/?key=1'])(
    'is no URL such as %s',
    async (url) => {
      const env = { ARIFTLY_API_KEY: 'k' }
      await expect(server(env, { server: url })).rejects.toMatchObject({ code: 'invalid_url', pointer: '--server' })
      await expect(server({ ...env, ARIFTLY_URL: url })).rejects.toMatchObject({ pointer: 'ARIFTLY_URL' })
    },
  )

  test('a key that a header cannot hold is refused without being repeated', async () => {
    const failing = server({ ARIFTLY_API_KEY: 'secret key\nwith a line' })
    await expect(failing).rejects.toMatchObject({ exit: 4 })
    await expect(failing).rejects.not.toThrow('secret key')
  })
})

describe('a profile', () => {
  test('that is damaged is refused, with a remedy', async () => {
    const path = profilePath(config, 'default')
    await writePrivateFile(path, '{"url":')
    await expect(readProfile(path)).rejects.toMatchObject({
      code: 'profile_damaged',
      remedy: expect.stringContaining(path),
    })
  })

  test('is removed once', async () => {
    const path = profilePath(config, 'one')
    await writeProfile(path, { url: 'https://x', api_key: 'k' })
    expect([await removeProfile(path), await removeProfile(path)]).toEqual([true, false])
  })

  test.each(['../x', '', 'a/b', '.', 'x'.repeat(65)])('has no name such as %j', (name) => {
    expect(() => profilePath(config, name)).toThrow('is no name of a profile')
  })
})

test('folders are those of XDG, unless they are relative', () => {
  expect(foldersOf({ HOME: '/h' })).toEqual({ config: '/h/.config/ariftly', state: '/h/.local/state/ariftly' })
  expect(foldersOf({ HOME: '/h', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: 'relative' })).toEqual({
    config: '/c/ariftly',
    state: '/h/.local/state/ariftly',
  })
})
