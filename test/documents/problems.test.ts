import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROBLEMS } from '@ariftly/http'
import { describe, expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { publishedFiles } from './published-files.ts'

/** Codes of problems that code makes: `new Problem(404, 'not_found', …)`, by status. */
function codesOfSources(): readonly (readonly [string, number])[] {
  return ['packages', 'services'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !/node_modules|dist\/|\.test\.ts$|packages\/sdk/.test(path))
      .flatMap((path) => [
        ...readFileSync(join(ROOT, folder, path), 'utf8').matchAll(/new Problem\(\s*(\d+),\s*'(\w+)'/g),
      ])
      .map(([, status, code = '']) => [code, Number(status)] as const),
  )
}

describe('the catalogue of problems', () => {
  test('has each code that the code answers, under its status', () => {
    const made = codesOfSources()
    expect(made.length).toBeGreaterThan(30)
    expect(made.filter(([code, status]) => PROBLEMS[code]?.status !== status)).toEqual([])
  })

  test('has each code that the OpenAPI document names for an answer', () => {
    const text = JSON.stringify(publishedFiles()['openapi.json'])
    const named = [...text.matchAll(/Codes: ([^"]*)/g)].flatMap(([, list = '']) =>
      [...list.matchAll(/`(\w+)`/g)].map(([, code = '']) => code),
    )
    expect(new Set(named).size).toBeGreaterThan(30)
    expect(named.filter((code) => PROBLEMS[code] === undefined)).toEqual([])
  })
})
