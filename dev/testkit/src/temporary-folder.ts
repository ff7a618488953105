import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Makes an empty folder that is removed with the test run. */
export function testFolder(name: string): string {
  return mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), `${name}-`))
}
