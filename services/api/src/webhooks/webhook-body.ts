import { createBodyReader, newWebhookSchema, webhookChangesSchema } from '@ariftly/contract'

/** Reads the body of `POST /v1/webhooks`; null means absent. Give it the egress policy. */
export const readNewWebhook = createBodyReader(newWebhookSchema)

/** Reads the body of `PATCH /v1/webhooks/{id}`; null clears a member. Give it the egress policy. */
export const readWebhookChanges = createBodyReader(webhookChangesSchema, { nulls: 'kept' })

/** The members of a webhook that are given. */
export type WebhookBody = Partial<ReturnType<typeof readNewWebhook>> | ReturnType<typeof readWebhookChanges>
