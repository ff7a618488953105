import { expect, test } from '@jest/globals'
import { refuseOldVersion } from './session.ts'

test('PostgreSQL 17 and newer is taken, an older one is refused with its version', () => {
  for (const version of [170_000, 170_004, 180_001]) expect(() => refuseOldVersion(version)).not.toThrow()
  expect(() => refuseOldVersion(160_010)).toThrow('is PostgreSQL 16. Version 17 or newer is needed.')
  expect(() => refuseOldVersion(90_624)).toThrow('is PostgreSQL 9.')
})
