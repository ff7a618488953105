export { beginIdempotent, deleteExpiredAnswers, keepAnswer } from './begin-idempotent.ts'
export type { IdempotentRequest, IdempotentStart, KeptAnswer } from './begin-idempotent.ts'
