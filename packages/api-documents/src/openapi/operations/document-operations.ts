import { Type } from '@sinclair/typebox'
import type { Operations } from '../operation.ts'

/** Routes of this reference. */
export const documentOperations: Operations<'getOpenapi' | 'getDocs' | 'getDocsScript'> = {
  getOpenapi: {
    tag: 'Documents',
    description: 'This document (OpenAPI 3.1).',
    answers: [
      {
        status: 200,
        description: 'The document.',
        content: [{ type: 'application/json', schema: Type.Unsafe({ type: 'object' }) }],
      },
    ],
    problems: [],
  },
  getDocs: {
    tag: 'Documents',
    description: 'The same for people.',
    answers: [{ status: 200, description: 'A page.', content: [{ type: 'text/html', schema: Type.String() }] }],
    problems: [],
  },
  getDocsScript: {
    tag: 'Documents',
    description: 'The script of that page; nothing of it comes from elsewhere.',
    answers: [
      { status: 200, description: 'The script.', content: [{ type: 'text/javascript', schema: Type.String() }] },
    ],
    problems: [],
  },
}
