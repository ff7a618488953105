import { describe, expect, test } from '@jest/globals'
import { runChecker } from '../support/run-checker.ts'
import { publishedFiles } from './published-files.ts'

const files = publishedFiles()

// Each is a process of its own that loads a large package.
describe('a checker of its own kind', () => {
  test('finds nothing wrong with the OpenAPI document', () => {
    expect(runChecker('openapi', JSON.stringify(files['openapi.json']))).toEqual([])
  })

  test('would find what is wrong with an OpenAPI document', () => {
    const broken = JSON.stringify(files['openapi.json']).replace('"listEvents"', '"getEvent"')
    expect(runChecker('openapi', broken).join('\n')).toContain('operation-operationId-unique')
  })

  test('finds nothing wrong with the AsyncAPI document', () => {
    expect(runChecker('asyncapi', JSON.stringify(files['asyncapi.json']))).toEqual([])
  })
})
