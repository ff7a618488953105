import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { OpenapiDocument } from '@ariftly/api-documents'
import { describe, expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { findBreakingOpenapiChanges } from './compatibility/openapi-changes.ts'
import { findBreakingSchemaChanges } from './compatibility/schema-changes.ts'
import { publishedFiles } from './published-files.ts'

const FOLDER = join(ROOT, 'schemas')
const files = Object.entries(publishedFiles())
const updating = process.env['UPDATE_DOCS'] === '1'

/**
 * Compares the published documents with the code's. A change that breaks clients or consumers is refused, also by
 * `npm run generate`: publish it under a new name (`v2`), or delete the old file by hand and say so in the review.
 */
describe.each(files)('schemas/%s', (path, built) => {
  const file = join(FOLDER, path)

  test('breaks no client of the published document', () => {
    if (existsSync(file)) expect(breaking(path, JSON.parse(readFileSync(file, 'utf8')), built)).toEqual([])
    else expect(updating).toBe(true)
  })

  test('is what the code makes (write it again with: npm run generate)', () => {
    const published: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
    if (updating && breaking(path, published, built).length === 0) {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, `${JSON.stringify(built, undefined, 2)}\n`)
    }
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(built)
  })
})

test('schemas/ holds nothing that the code does not make', () => {
  const present = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'))
  expect(present.toSorted()).toEqual(files.map(([path]) => path).toSorted())
})

/** AsyncAPI's payloads are the schema files, which have their own check. */
function breaking(path: string, published: unknown, built: object): readonly string[] {
  if (Object.keys(published as object).length === 0 || path === 'asyncapi.json') return []
  return path === 'openapi.json'
    ? findBreakingOpenapiChanges(published as OpenapiDocument, built as OpenapiDocument)
    : findBreakingSchemaChanges(published, built, directionOf(path))
}

/** Who uses the values: what clients post may be taken more freely, what they read may be promised more firmly, the log is for both. */
function directionOf(path: string): 'sent' | 'read' | 'both' {
  if (path === 'new-event.json') return 'sent'
  return path.startsWith('events/') || path === 'record-headers.json' ? 'both' : 'read'
}
