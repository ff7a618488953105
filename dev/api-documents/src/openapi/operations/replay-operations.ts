import { Type } from '@sinclair/typebox'
import type { Operations } from '../operation.ts'
import { PAGE } from '../parameters.ts'
import { listOf, ref } from '../schema-ref.ts'

/** Routes of replays. `recent` is a time (ISO 8601) of the last days, for the example. */
export function replayOperations(
  recent: string,
): Operations<'createReplay' | 'listReplays' | 'getReplay' | 'cancelReplay'> {
  const replay = { type: 'application/json', schema: ref('Replay') } as const
  return {
    createReplay: {
      tag: 'Webhooks',
      description:
        'Delivers past events again: missing deliveries are added, finished ones are set back to `pending`. Reaches back 30 days. Begins at a time (`after`) or at a position of a stream (`from`).',
      body: {
        required: true,
        content: [
          {
            type: 'application/json',
            schema: ref('ReplayRequest'),
            examples: [
              { name: 'failed', summary: 'What failed since a time', value: { after: recent, status: 'failed' } },
              { name: 'dry', summary: 'Only count', value: { after: recent, types: ['task.complete'], dry_run: true } },
            ],
          },
        ],
      },
      answers: [
        {
          status: 202,
          description: 'The replay, which runs in the background.',
          headers: [{ name: 'Location', description: 'Where its progress is.', schema: Type.String() }],
          content: [replay],
        },
      ],
      problems: [
        { status: 400, codes: ['malformed_json', 'invalid_utf8'] },
        { status: 404, codes: ['not_found'] },
        { status: 409, codes: ['replay_under_way'] },
        { status: 413, codes: ['body_too_large'] },
        { status: 415, codes: ['unsupported_media_type', 'unsupported_encoding'] },
        { status: 422, codes: ['missing_body', 'invalid_body'] },
      ],
    },
    listReplays: {
      tag: 'Webhooks',
      description: 'Newest first. A replay is kept for 35 days after its end.',
      query: PAGE,
      answers: [
        { status: 200, description: 'A page.', content: [{ type: 'application/json', schema: listOf('Replay') }] },
      ],
      problems: [
        { status: 400, codes: ['invalid_parameter', 'invalid_cursor'] },
        { status: 404, codes: ['not_found'] },
      ],
    },
    getReplay: {
      tag: 'Webhooks',
      description: 'Its progress.',
      answers: [{ status: 200, description: 'The replay.', content: [replay] }],
      problems: [{ status: 404, codes: ['not_found'] }],
    },
    cancelReplay: {
      tag: 'Webhooks',
      description:
        'No further delivery is made, and deliveries that it made pending are cancelled. What was sent stays.',
      answers: [{ status: 204, description: 'Cancelled.' }],
      problems: [{ status: 404, codes: ['not_found'] }],
    },
  }
}
