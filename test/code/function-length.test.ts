import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '../..')
const OXLINT = join(ROOT, 'node_modules/oxlint/bin/oxlint')
const TESTS = ['**/*.test.ts', '**/test-*.ts', '**/dist/**']
const LINES_MAX = 80

/** Longer functions of the product, each with the reason. Tables of data are no functions. */
const EXCEPTIONS: Readonly<Record<string, string>> = {}

test('no function of the product has more than 80 lines', () => {
  const found = longFunctions(ROOT, ['packages', 'services'])
  expect(found.filter((name) => !(name in EXCEPTIONS))).toEqual([])
}, 60_000)

test('one that has is found, and none that has not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'functions-'))
  try {
    writeFileSync(join(folder, 'one.ts'), functionOf('short', LINES_MAX) + functionOf('long', LINES_MAX + 1))
    expect(longFunctions(folder, ['.'])).toEqual(['one.ts: long'])
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)

function functionOf(name: string, lines: number): string {
  return `export function ${name}() {\n${'  // …\n'.repeat(lines - 2)}}\n`
}

interface Report {
  readonly diagnostics: readonly { readonly message: string; readonly filename: string }[]
}

/** `file: function` of each function that is longer, in folders below `root`; tests and their helpers are left out. */
function longFunctions(root: string, folders: readonly string[]): readonly string[] {
  const configFolder = mkdtempSync(join(tmpdir(), 'oxlint-'))
  try {
    const config = join(configFolder, 'oxlint.json')
    writeFileSync(
      config,
      JSON.stringify({
        categories: { correctness: 'off' },
        rules: { 'max-lines-per-function': ['error', { max: LINES_MAX }] },
      }),
    )
    const ignored = TESTS.flatMap((pattern) => ['--ignore-pattern', pattern])
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [OXLINT, '--config', config, '--disable-nested-config', '--format', 'json', ...ignored, ...folders],
      { cwd: root, encoding: 'utf8' },
    )
    if (stdout === '') throw new Error(`oxlint did not run: ${stderr}`)
    const { diagnostics } = JSON.parse(stdout) as Report
    return diagnostics.map(({ message, filename }) => `${filename}: ${/`(\w+)`/.exec(message)?.[1] ?? message}`)
  } finally {
    rmSync(configFolder, { recursive: true })
  }
}
