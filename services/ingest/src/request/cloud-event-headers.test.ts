import { describe, expect, test } from '@jest/globals'
import { readContent } from './content.ts'

const CE = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': 'task.created' }

describe('the content of a post', () => {
  test.each([
    [{ 'content-type': 'application/json' }, 'json'],
    [{ 'content-type': 'Application/JSON; charset="UTF-8"' }, 'json'],
    [{ 'content-type': 'application/x-ndjson' }, 'ndjson'],
    [{ 'content-type': 'application/cloudevents+json; charset=utf-8' }, 'structured'],
    [{ 'content-type': 'application/cloudevents-batch+json' }, 'batched'],
    [{ ...CE, 'content-type': 'application/cloudevents+json' }, 'structured'],
    [{ ...CE, 'content-type': 'application/json' }, 'binary'],
    [{ ...CE, 'content-type': 'application/vnd.fleet+json' }, 'binary'],
    [CE, 'binary'],
  ])('(%j) is read as %s', (headers, kind) => {
    expect(readContent(headers)).toMatchObject({ kind, encoding: 'identity' })
  })

  test.each([
    { 'content-type': 'application/vnd.fleet+json' },
    { 'content-type': 'application/cloudevents+avro' },
    { 'content-type': 'application/cloudevents+json; charset=latin1' },
    { ...CE, 'content-type': 'text/xml' },
    { ...CE, 'content-type': 'application/x-ndjson' },
    {},
  ])('(%j) is 415', (headers) => {
    expect(() => readContent(headers)).toThrow(expect.objectContaining({ status: 415, code: 'unsupported_media_type' }))
  })

  test.each([
    [{}, 'There is no Content-Type; send application/json or application/x-ndjson in UTF-8, or CloudEvents in JSON.'],
    [
      { 'content-type': 'application/x-www-form-urlencoded' },
      'Content-Type is application/x-www-form-urlencoded; send application/json or application/x-ndjson in UTF-8, or CloudEvents in JSON.',
    ],
    [
      { ...CE, 'content-type': 'text/xml' },
      'Content-Type is text/xml; send the data of a CloudEvent as application/json in UTF-8.',
    ],
  ])('(%j) is refused with what came and what to send', (headers, detail) => {
    expect(() => readContent(headers)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ detail }) }),
    )
  })

  test('with ce- headers but no ce-specversion is 422, which names it', () => {
    const errors = [{ parameter: 'ce-specversion', code: 'required', message: expect.any(String) }]
    expect(() => readContent({ 'content-type': 'application/json', 'ce-type': 'task.created' })).toThrow(
      expect.objectContaining({ status: 422, details: expect.objectContaining({ errors }) }),
    )
  })

  test.each([
    ['plain', 'plain'],
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['100% and %zz', '100% and %zz'],
    ['%c3%28', '\uFFFD('],
    [String.raw`"a \"quoted\" %41"`, 'a "quoted" A'],
  ])('decodes the header value %j as the binding says', (value, expected) => {
    const content = readContent({ ...CE, 'ce-subject': value })
    expect(content.kind === 'binary' && content.attributes.get('subject')).toBe(expected)
  })
})
