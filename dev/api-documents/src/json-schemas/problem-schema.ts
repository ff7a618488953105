import { Type, type TSchema } from '@sinclair/typebox'

/** One thing that is wrong. */
const problemErrorSchema: TSchema = Type.Object({
  pointer: Type.Optional(
    Type.String({ description: 'JSON pointer (RFC 6901) into the body, or into the entry of a batch.' }),
  ),
  parameter: Type.Optional(Type.String({ description: 'Name of a parameter or header.' })),
  index: Type.Optional(Type.Integer({ minimum: 0, description: 'Entry of the batch.' })),
  code: Type.String({ description: 'Stable, snake_case.' }),
  message: Type.String({ description: 'Completes a sentence that begins with the pointer, parameter or entry.' }),
})

/** `application/problem+json` (RFC 9457). */
export const problemSchema: TSchema = Type.Object(
  {
    type: Type.String({ format: 'uri-reference', description: 'Path of a page with cause and fix.' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.Optional(Type.String()),
    instance: Type.String({ description: 'Path of the request.' }),
    code: Type.String({ description: 'Stable, snake_case: for programs to distinguish problems.' }),
    request_id: Type.String({ description: 'As in `X-Request-Id`; name it when you ask us.' }),
    errors: Type.Optional(Type.Array(problemErrorSchema)),
    redelivery_id: Type.Optional(
      Type.String({
        description:
          'With `redelivery_under_way`: the running redelivery, of dry runs the oldest. Absent when it has ended since.',
      }),
    ),
    events: Type.Optional(
      Type.Array(
        Type.Object({
          index: Type.Integer({ minimum: 0 }),
          id: Type.Optional(Type.String()),
          status: Type.String(),
        }),
        {
          description:
            'With `log_unavailable`, `log_identity_changed` and `clock_skew`: the result of each entry. Post entries with `retry` again, with these ids.',
        },
      ),
    ),
  },
  { description: 'What went wrong (RFC 9457).' },
)

/** What a code means. */
export const problemKindSchema: TSchema = Type.Object({
  code: Type.String(),
  title: Type.String(),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  cause: Type.String(),
  fix: Type.String(),
  example: Type.Unsafe({ type: 'object', additionalProperties: true, description: 'A problem with this code.' }),
})
