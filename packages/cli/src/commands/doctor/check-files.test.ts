import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { lockState } from '../../state/lock-state.ts'
import { checkFiles } from './check-files.ts'
import type { Findings } from './check.ts'

test('a lock, which is a link to nowhere, is not a damaged file; a file that others may read is found', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ariftly-cli-'))
  const findings = { context: { folders: { config: join(folder, 'none'), state: folder } } } as Findings
  const state = join(folder, 'listen.json')
  writeFileSync(state, '{}', { mode: 0o600 })
  const release = await lockState(state, 'Stop it.')
  expect(await checkFiles(findings)).toMatchObject({ status: 'ok', detail: expect.stringMatching(/^2 in /) })
  release()
  chmodSync(state, 0o644)
  expect(await checkFiles(findings)).toMatchObject({ status: 'failed' })
})
