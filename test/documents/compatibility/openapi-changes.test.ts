import { describe, expect, test } from '@jest/globals'
import { buildOpenapi, type OpenapiDocument } from '@ariftly/api-documents'
import { findBreakingOpenapiChanges } from './openapi-changes.ts'

const document = buildOpenapi({ nowMs: 0 })
const text = JSON.stringify(document)

/** The document after a change of its text; throws if that changed nothing. */
function changed(from: string, to: string): OpenapiDocument {
  if (!text.includes(from)) throw new Error(`The document does not hold ${from}`)
  return JSON.parse(text.replaceAll(from, to)) as OpenapiDocument
}

describe('a change of the OpenAPI document', () => {
  test('of descriptions only breaks no client', () => {
    expect(findBreakingOpenapiChanges(document, changed('List events', 'Show events'))).toEqual([])
  })

  test('that adds a route breaks no client, and one that removes a route does', () => {
    const { '/v1/stream-tokens': gone, ...paths } = document.paths
    expect(gone).toBeDefined()
    const less = { ...document, paths }
    expect(findBreakingOpenapiChanges(less, document)).toEqual([])
    expect(findBreakingOpenapiChanges(document, less)).toEqual(['POST /v1/stream-tokens: is gone'])
  })

  test('that renames a parameter is reported', () => {
    expect(findBreakingOpenapiChanges(document, changed('"name":"order"', '"name":"sort"'))).toEqual([
      'GET /v1/events parameter query order: is gone',
    ])
  })

  test('that removes a member of an answer is reported at each use of the answer', () => {
    const changes = findBreakingOpenapiChanges(document, changed('"has_more"', '"more"'))
    expect(changes).toContain('GET /v1/events answer 200 application/json /properties/has_more: is gone')
    expect(changes).toContain('GET /v1/webhooks answer 200 application/json /properties/has_more: is gone')
  })

  test('that requires more in a body is reported, and one that accepts more is not', () => {
    const stricter = changed('"required":["url","events"]', '"required":["url","events","secret"]')
    expect(findBreakingOpenapiChanges(document, stricter)).toEqual([
      'POST /v1/webhooks body application/json /required: secret must be sent now',
    ])
    expect(findBreakingOpenapiChanges(stricter, document)).toEqual([])
  })
})
