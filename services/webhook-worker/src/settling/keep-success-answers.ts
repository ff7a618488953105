import { typeIdToUuid } from '@ariftly/events'
import { plainArray, type Queryable } from '@ariftly/store'
import { isWebhookKept } from '@ariftly/store/tenants'
import type { AttemptRef } from '../queueing/unqueue-deliveries.ts'

/** A receiver's answer to a successful attempt. */
export interface SuccessAnswer extends AttemptRef {
  readonly webhookId: string
  /** JSON object of names and values. */
  readonly responseHeaders: string | null
  readonly responseBody: Buffer | null
}

/** Answers that are kept of one webhook. */
export const SUCCESS_ANSWERS_KEPT = 5

/** Keeps these answers, given oldest first, but for deleted webhooks and those of deleted tenants, and drops all but the newest 5 of their webhooks. By primary key. */
export async function keepSuccessAnswers(db: Queryable, answers: readonly SuccessAnswer[]): Promise<void> {
  if (answers.length === 0) return
  const webhookIds = answers.map(({ webhookId }) => typeIdToUuid('whk', webhookId))
  await db.query(
    `INSERT INTO success_answers (webhook_id, delivery_id, attempt, response_headers, response_body)
     SELECT webhook_id, delivery_id, attempt, headers::json, body
       FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::bytea[])
              AS a (webhook_id, delivery_id, attempt, headers, body)
      WHERE ${isWebhookKept('a.webhook_id', '$1')}
     ON CONFLICT DO NOTHING`,
    [
      plainArray(webhookIds),
      plainArray(answers.map(({ deliveryId }) => typeIdToUuid('dlv', deliveryId))),
      plainArray(answers.map(({ attempt }) => attempt)),
      answers.map(({ responseHeaders }) => responseHeaders),
      answers.map(({ responseBody }) => responseBody),
    ],
  )
  await db.query(
    `DELETE FROM success_answers a
      USING (SELECT webhook_id, delivery_id, attempt,
                    row_number() OVER (PARTITION BY webhook_id ORDER BY kept_at DESC, delivery_id DESC) AS place
               FROM success_answers WHERE webhook_id = ANY ($1::uuid[])) old
      WHERE old.place > $2
        AND a.webhook_id = old.webhook_id AND a.delivery_id = old.delivery_id AND a.attempt = old.attempt`,
    [plainArray([...new Set(webhookIds)]), SUCCESS_ANSWERS_KEPT],
  )
}

/** Drops answers that were kept for as long as deliveries are, as theirs are gone; returns how many. Reads the table, which is small. */
export async function deleteExpiredSuccessAnswers(db: Queryable): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM success_answers
      WHERE kept_at < history_now() - (SELECT make_interval(days => deliveries_days) FROM retention)`,
  )
  return rowCount ?? 0
}
