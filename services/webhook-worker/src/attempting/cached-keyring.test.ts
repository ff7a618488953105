import { expect, test } from '@jest/globals'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { createCachedKeyring } from './cached-keyring.ts'

test('opens a sealed text once, and never for another aad or as another text', () => {
  const keyring = createKeyring(generateEncryptionKey('test'))
  let opened = 0
  const cached = createCachedKeyring({
    open(sealed, aad) {
      opened += 1
      return keyring.open(sealed, aad)
    },
  })
  const [first, second] = [keyring.seal(Buffer.from('one'), 'a'), keyring.seal(Buffer.from('two'), 'a')]
  for (let times = 0; times < 3; times += 1) expect(cached.open(first, 'a')?.toString()).toBe('one')
  expect(opened).toBe(1)
  expect(cached.open(second, 'a')?.toString()).toBe('two')
  expect(cached.open(first, 'b')).toBeUndefined()
  expect(cached.open(first, 'b')).toBeUndefined()
})
