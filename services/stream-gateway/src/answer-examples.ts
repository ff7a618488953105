import { renderStreamToken } from './routes/create-stream-token.ts'

/** Examples of answers for the reference, by the schema of the OpenAPI document that they are of; rendered as answers are. */
export const streamAnswerExamples = {
  StreamToken: renderStreamToken(
    'st_Zk1dT3q7mXbYw0c5VhJtQnR2sLpA9eUu',
    { taskId: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5' },
    Date.UTC(2026, 10, 25, 9, 45, 37, 123),
  ),
} as const
