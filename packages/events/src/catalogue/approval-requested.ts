import { Type } from '@sinclair/typebox'
import type { CatalogueEntry } from './entry.ts'

/** Members of `data` of a `approval.requested`. */
const approvalRequestedData = Type.Object({
  approval_id: Type.String(),
  action: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  expires_at: Type.Optional(Type.String({ format: 'date-time' })),
})

/** `approval.requested`: An agent requests human approval. */
export const approvalRequested: CatalogueEntry = {
  type: 'approval.requested',
  description: 'An agent requests human approval',
  schema: approvalRequestedData,
  example: {
    approval_id: 'apr_01j9x8n5n6p7q8r9s0t1v2w3x4',
    action: 'send_email',
    reason: 'The recipient is outside the company',
    expires_at: '2026-11-26T08:45:37Z',
  },
}
