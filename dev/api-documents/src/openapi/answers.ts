import { Type } from '@sinclair/typebox'
import type { Answer, Example, OperationDoc, ProblemAnswer } from './operation.ts'
import { ref } from './schema-ref.ts'

/** 404 for what is not there or another tenant's. */
export const NOT_FOUND: ProblemAnswer = { status: 404, codes: ['not_found'] }

/** What a body in JSON may be refused for. */
export const BODY_PROBLEMS: readonly ProblemAnswer[] = [
  { status: 400, codes: ['malformed_json', 'invalid_utf8'] },
  { status: 413, codes: ['body_too_large'] },
  { status: 415, codes: ['unsupported_media_type', 'unsupported_encoding'] },
  { status: 422, codes: ['missing_body', 'invalid_body'] },
]

/** The header of what was created. */
export const LOCATION = { name: 'Location', description: 'Path of the resource.', schema: Type.String() }

/** An answer of one object. */
export function answer(status: Answer['status'], description: string, schema: Parameters<typeof ref>[0]): Answer {
  return { status, description, content: [{ type: 'application/json', schema: ref(schema) }] }
}

/** A body of one object in JSON. */
export function jsonBody(
  schema: Parameters<typeof ref>[0],
  required: boolean,
  examples: readonly Example[],
): NonNullable<OperationDoc['body']> {
  return { required, content: [{ type: 'application/json', schema: ref(schema), examples }] }
}
