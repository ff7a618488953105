import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { OpenapiDocument } from '@ariftly/api-documents'
import { expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { publishedFiles } from './published-files.ts'
import { renderPythonTypes } from './sdk-python-types.ts'

const FILE = join(ROOT, 'packages/sdk-python/src/ariftly/types.py')

test("the Python SDK's types are those of the OpenAPI document (write them again with: npm run generate)", () => {
  const rendered = renderPythonTypes(publishedFiles()['openapi.json'] as OpenapiDocument)
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, rendered)
  expect(readFileSync(FILE, 'utf8')).toBe(rendered)
})
