import { Type } from '@sinclair/typebox'
import { type CatalogueEntry, oneOf } from './entry.ts'

/** Members of `data` of a `session.message`. */
const sessionMessageData = Type.Object({
  role: oneOf('user', 'assistant', 'system', 'tool'),
  content: Type.Unsafe<string | unknown[]>({ type: ['string', 'array'], items: {} }),
  message_id: Type.Optional(Type.String()),
})

/** `session.message`: A message is added to a session. */
export const sessionMessage: CatalogueEntry = {
  type: 'session.message',
  description: 'A message is added to a session',
  schema: sessionMessageData,
  example: {
    role: 'assistant',
    content: 'The questionnaire is complete.',
    message_id: 'msg_01j9x8p5n6p7q8r9s0t1v2w3x4',
  },
}
