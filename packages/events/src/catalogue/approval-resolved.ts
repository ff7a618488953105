import { Type } from '@sinclair/typebox'
import { type CatalogueEntry, oneOf } from './entry.ts'

/** Members of `data` of a `approval.resolved`. */
const approvalResolvedData = Type.Object({
  approval_id: Type.String(),
  decision: oneOf('approved', 'denied'),
  resolved_by: Type.Optional(Type.String()),
  comment: Type.Optional(Type.String()),
})

/** `approval.resolved`: A human approves or denies. */
export const approvalResolved: CatalogueEntry = {
  type: 'approval.resolved',
  description: 'A human approves or denies',
  schema: approvalResolvedData,
  example: {
    approval_id: 'apr_01j9x8n5n6p7q8r9s0t1v2w3x4',
    decision: 'approved',
    resolved_by: 'user_42',
    comment: 'Go ahead',
  },
}
