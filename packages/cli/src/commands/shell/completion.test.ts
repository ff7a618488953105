import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { profilePath, writeProfile } from '../../settings/profile.ts'
import { newHome, run } from '../../test-run.ts'

const scriptOf = async (shell: string) => (await run(['completion', shell])).out

test('the script for zsh has no offset that begins with a letter, which zsh takes for a modifier', async () => {
  const script = await scriptOf('zsh')
  expect(script).toContain('${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}')
  expect(script).not.toMatch(/\$\{[^}]*:[A-Za-z]/)
})

test('the script for fish quotes what may be no word: test needs an argument on both sides', async () => {
  const script = await scriptOf('fish')
  expect(script).toContain('test "$path" = "$argv[1]"')
  expect(script).not.toMatch(/\btest \(/)
})

test('the words that a script asks for are one on each line: profiles without their keys', async () => {
  const home = newHome()
  for (const name of ['b', 'a']) {
    await writeProfile(profilePath(join(home, '.config/ariftly'), name), {
      url: 'https://a.example',
      api_key: 'secret',
    })
  }
  expect(await run(['completion', 'profiles'], { env: { HOME: home } })).toEqual({ code: 0, out: 'a\nb\n', err: '' })
})
