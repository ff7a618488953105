import type { Operations } from '../operation.ts'
import { ref } from '../schema-ref.ts'

/** The route that shows the whole system. */
export const systemOperations: Operations<'getSystem'> = {
  getSystem: {
    tag: 'System',
    description:
      'How far the log is projected and matched with webhooks, which processes registered themselves, and how many deliveries wait, over all tenants. It is read from Postgres, which does not know where the log ends and how far streams lag: `projection status` on the server and the metrics show that. Its cost is bounded: at most 10,000 deliveries of a webhook, 2,000 webhooks, and about 250,000 deliveries are counted; `deliveries.complete` is false when there may be more. Ingest processes and webhook workers always register, stream gateways while a tenant with a limit of streams uses them, projectors and the api never.',
    answers: [
      { status: 200, description: 'The system.', content: [{ type: 'application/json', schema: ref('System') }] },
    ],
    problems: [{ status: 429, codes: ['too_many_queries'] }],
  },
}
