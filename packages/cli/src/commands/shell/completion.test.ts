import { expect, test } from '@jest/globals'
import { run } from '../../test-run.ts'

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
