import { describe, expect, test } from '@jest/globals'
import { Problem } from '@ariftly/http'
import { Type } from '@sinclair/typebox'
import { createBodyReader } from './body-reader.ts'
import { checkedBy } from './checks.ts'
import { published } from './publish.ts'
import { streamTokenRequestSchema } from './request-schemas.ts'

const schema = Type.Object(
  {
    size: Type.Integer({ minimum: 1, maximum: 9 }),
    label: Type.Optional(checkedBy('label', Type.String({ maxLength: 5 }))),
    words: Type.Optional(Type.Array(Type.String(), { maxItems: 2, uniqueItems: true })),
  },
  { additionalProperties: false },
)
const read = createBodyReader(schema)

/** The problem that reading a body throws. */
function problemOf(body: unknown, reader: (body: unknown) => unknown = read): Problem {
  try {
    reader(body)
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('The body was taken.')
}

const errorsOf = (body: unknown) =>
  problemOf(body).details.errors?.map(({ pointer, code }) => `${pointer ?? ''} ${code}`) ?? []

describe('a body reader', () => {
  test('gives the body, without members that are null', () => {
    expect(read({ size: 1, label: null })).toEqual({ size: 1 })
  })

  test('keeps null where null clears a member', () => {
    const changes = Type.Object({ size: Type.Optional(Type.Union([Type.Integer(), Type.Null()])) })
    expect(createBodyReader(changes, { nulls: 'kept' })({ size: null })).toEqual({ size: null })
  })

  test('reads no body as {} only where it may be left out', () => {
    expect(problemOf(undefined)).toMatchObject({ status: 422, code: 'missing_body' })
    expect(createBodyReader(streamTokenRequestSchema, { optional: true })(undefined)).toEqual({})
  })

  test.each<[unknown, string[]]>([
    [{}, ['/size required']],
    [{ size: 1, other: 1 }, ['/other unknown_member']],
    [{ size: 1, other: null }, ['/other unknown_member']],
    [JSON.parse('{"size":1,"__proto__":1}'), ['/__proto__ unknown_member']],
    [{ size: '1' }, ['/size invalid_type']],
    [{ size: 1.5 }, ['/size invalid_type']],
    [{ size: 10 }, ['/size out_of_range']],
    [{ size: 1, label: 'abcdef' }, ['/label too_long']],
    [{ size: 1, label: 'a\n' }, ['/label invalid_value']],
    [{ size: 1, words: ['a', 'b', 'c'] }, ['/words too_long']],
    [{ size: 1, words: ['a', 'a'] }, ['/words/1 invalid_value']],
    [{ size: 1, words: [1] }, ['/words/0 invalid_type']],
    [[], [' invalid_type']],
    ['text', [' invalid_type']],
    [{ size: 0, label: 7, 'a/b~': 1 }, ['/a~1b~0 unknown_member', '/size out_of_range', '/label invalid_type']],
  ])('names what is wrong with %j: %j', (body, errors) => {
    expect(problemOf(body)).toMatchObject({ status: 422, code: 'invalid_body' })
    expect(errorsOf(body)).toEqual(errors)
  })

  test('names at most ten members, each name cut at 64 characters', () => {
    const names = Array.from({ length: 1000 }, (_, index) => [`${index}-${'x'.repeat(200)}`, 1])
    const errors = problemOf({ size: 1, ...Object.fromEntries(names) }).details.errors ?? []
    expect(errors).toHaveLength(10)
    for (const { pointer } of errors) expect(pointer?.length).toBeLessThanOrEqual(66)
  })

  test('a published schema does not show our keyword', () => {
    expect(JSON.stringify(schema)).toContain('x-check')
    expect(JSON.stringify(published(schema))).not.toContain('x-check')
  })
})
