import { Type } from '@sinclair/typebox'
import { type CatalogueEntry, oneOf } from './entry.ts'

/** Members of `data` of a `tool_call.executed`. */
const toolCallExecutedData = Type.Object({
  tool: Type.String(),
  tool_call_id: Type.Optional(Type.String()),
  status: Type.Optional(oneOf('ok', 'error')),
  duration_ms: Type.Optional(Type.Integer({ minimum: 0 })),
  arguments: Type.Optional(Type.Unknown()),
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(Type.Unknown()),
})

/** `tool_call.executed`: The tool proxy executes a tool call. */
export const toolCallExecuted: CatalogueEntry = {
  type: 'tool_call.executed',
  description: 'The tool proxy executes a tool call',
  schema: toolCallExecutedData,
  example: {
    tool: 'web_search',
    tool_call_id: 'call_7',
    status: 'ok',
    duration_ms: 412,
    arguments: { query: 'AI readiness' },
    result: { hits: 3 },
  },
}
