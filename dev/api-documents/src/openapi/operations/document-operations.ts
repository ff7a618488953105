import { Type } from '@sinclair/typebox'
import type { Content, Operations } from '../operation.ts'
import { listOf, ref } from '../schema-ref.ts'

/** Bytes. OpenAPI 3.1 describes them by their content type alone. */
const BINARY = Type.Unsafe({})

const PAGE_OR_MARKDOWN: readonly Content[] = [
  { type: 'text/html', schema: Type.String() },
  { type: 'text/markdown', schema: Type.String() },
]

/** Routes of this reference. */
export const documentOperations: Operations<
  | 'listEventTypes'
  | 'getIndex'
  | 'getOpenapi'
  | 'getAsyncapi'
  | 'listProblems'
  | 'getProblem'
  | 'getLlms'
  | 'getDocs'
  | 'getDocsScript'
  | 'getDocsStart'
  | 'getConsole'
  | 'getConsoleAsset'
  | 'listGuides'
  | 'getGuide'
  | 'getFavicon'
  | 'getRobots'
  | 'getSecurityTxt'
> = {
  listEventTypes: {
    tag: 'Events',
    description: 'The types of events that can be posted, with the JSON Schema of `data` and an example of it.',
    answers: [
      {
        status: 200,
        description: 'All types, on one page.',
        content: [{ type: 'application/json', schema: listOf('EventTypeDescription') }],
      },
    ],
    problems: [],
  },
  getIndex: {
    tag: 'Documents',
    description: 'Name, version and the paths of the documents; for `Accept: text/html` a redirect to the reference.',
    answers: [
      {
        status: 200,
        description: 'The index.',
        content: [{ type: 'application/json', schema: ref('Index') }],
      },
      {
        status: 302,
        description: 'For browsers.',
        headers: [{ name: 'Location', description: '`/docs`.', schema: Type.String() }],
      },
    ],
    problems: [],
  },
  getAsyncapi: {
    tag: 'Documents',
    description: 'The Kafka topics, for services inside the platform (AsyncAPI 3).',
    answers: [
      {
        status: 200,
        description: 'The document.',
        content: [{ type: 'application/json', schema: Type.Unsafe({ type: 'object', additionalProperties: true }) }],
      },
    ],
    problems: [],
  },
  listProblems: {
    tag: 'Documents',
    description: 'Every `code` with cause and fix: a page, or JSON for `Accept: application/json`.',
    answers: [
      {
        status: 200,
        description: 'All codes, on one page.',
        content: [
          { type: 'text/html', schema: Type.String() },
          { type: 'application/json', schema: listOf('ProblemKind') },
        ],
      },
    ],
    problems: [],
  },
  getProblem: {
    tag: 'Documents',
    description: 'Cause and fix of a problem by its `code`: a page, or JSON for `Accept: application/json`.',
    answers: [
      {
        status: 200,
        description: 'What the code means.',
        content: [
          { type: 'text/html', schema: Type.String() },
          { type: 'application/json', schema: ref('ProblemKind') },
        ],
      },
    ],
    problems: [{ status: 404, codes: ['not_found'], asPage: true }],
  },
  getLlms: {
    tag: 'Documents',
    description: 'Routes, event types and problem codes in Markdown (https://llmstxt.org).',
    answers: [{ status: 200, description: 'The text.', content: [{ type: 'text/plain', schema: Type.String() }] }],
    problems: [],
  },
  getOpenapi: {
    tag: 'Documents',
    description: 'This document (OpenAPI 3.1).',
    answers: [
      {
        status: 200,
        description: 'The document.',
        content: [{ type: 'application/json', schema: Type.Unsafe({ type: 'object', additionalProperties: true }) }],
      },
    ],
    problems: [],
  },
  getDocs: {
    tag: 'Documents',
    description: 'The reference as a page.',
    answers: [{ status: 200, description: 'A page.', content: [{ type: 'text/html', schema: Type.String() }] }],
    problems: [],
  },
  getDocsScript: {
    tag: 'Documents',
    description: 'The script of that page; it loads nothing from other hosts.',
    answers: [
      { status: 200, description: 'The script.', content: [{ type: 'text/javascript', schema: Type.String() }] },
    ],
    problems: [],
  },
  getDocsStart: {
    tag: 'Documents',
    description: 'Starts the script of that page with this document, and the address of the page in its samples.',
    answers: [
      { status: 200, description: 'The script.', content: [{ type: 'text/javascript', schema: Type.String() }] },
    ],
    problems: [],
  },
  getConsole: {
    tag: 'Documents',
    description: 'The page to watch events and manage webhooks; it asks for a key. Absent with `CONSOLE=off`.',
    answers: [{ status: 200, description: 'The page.', content: [{ type: 'text/html', schema: Type.String() }] }],
    problems: [],
  },
  getConsoleAsset: {
    tag: 'Documents',
    description: 'A script, style sheet or image of that page, named by its hash.',
    answers: [
      {
        status: 200,
        description: 'The file.',
        content: [
          { type: 'text/javascript', schema: Type.String() },
          { type: 'text/css', schema: Type.String() },
          { type: 'image/svg+xml', schema: Type.String() },
        ],
      },
    ],
    problems: [{ status: 404, codes: ['not_found'] }],
  },
  listGuides: {
    tag: 'Documents',
    description: 'The guides with a summary of each: a page, or Markdown for `Accept: text/markdown`.',
    answers: [{ status: 200, description: 'All guides.', content: PAGE_OR_MARKDOWN }],
    problems: [],
  },
  getGuide: {
    tag: 'Documents',
    description:
      'How to produce, to stream, to receive webhooks, to read the log, to manage keys, and to use the SDK: a page, or Markdown for `Accept: text/markdown` and for a name that ends with `.md`.',
    answers: [{ status: 200, description: 'The guide.', content: PAGE_OR_MARKDOWN }],
    problems: [{ status: 404, codes: ['not_found'], asPage: true }],
  },
  getFavicon: {
    tag: 'Documents',
    description: 'For browsers.',
    answers: [{ status: 200, description: 'The icon.', content: [{ type: 'image/x-icon', schema: BINARY }] }],
    problems: [],
  },
  getRobots: {
    tag: 'Documents',
    description: 'For crawlers (RFC 9309): nothing under `/v1`.',
    answers: [{ status: 200, description: 'The text.', content: [{ type: 'text/plain', schema: Type.String() }] }],
    problems: [],
  },
  getSecurityTxt: {
    tag: 'Documents',
    description: 'Where to report a vulnerability of this installation (RFC 9116).',
    answers: [{ status: 200, description: 'The text.', content: [{ type: 'text/plain', schema: Type.String() }] }],
    problems: [],
  },
}
