import { Type, type TSchema } from '@sinclair/typebox'
import { nullable, timeSchema } from '@ariftly/contract'

const preview = (what: string): TSchema => ({
  ...nullable(Type.String({ contentEncoding: 'base64' })),
  description: `${what}, base64; its first 1,024 bytes.`,
})

/** A record of the dead-letter topic. */
export const deadLetterSchema: TSchema = Type.Object({
  object: Type.Literal('dead_letter'),
  id: Type.String({ description: '`<partition>-<offset>` in the topic of dead letters.' }),
  at: { ...timeSchema, description: 'When it became a dead letter.' },
  reason: Type.String({ description: 'A stable code; more may be added.' }),
  detail: Type.String({ description: 'One sentence; it holds no payload.' }),
  source: { ...nullable(Type.String()), description: 'The `ce_source` of the record.' },
  partition: {
    ...nullable(Type.Integer({ minimum: 0 })),
    description: 'The partition of the log that has the record.',
  },
  offset: { ...nullable(Type.String()), description: 'Its offset there.' },
  key: preview('The key'),
  headers: {
    ...Type.Record(Type.String(), Type.String()),
    description: 'The headers as text, at most 50 of them and 256 characters of each.',
  },
  value_preview: preview('The value'),
})
