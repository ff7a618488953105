/** A JSON Schema (2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>

const text: JsonSchema = { type: 'string' }
const textOrNull: JsonSchema = { type: ['string', 'null'] }
const flag: JsonSchema = { type: 'boolean' }
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items })
const fromApi = (name: string): JsonSchema => ({ $ref: `openapi.json#/components/schemas/${name}` })

/** An object that has all `required` members, and may have `optional` ones. */
function objectOf(description: string, required: Members, optional: Members = {}): JsonSchema {
  return { type: 'object', description, required: Object.keys(required), properties: { ...required, ...optional } }
}

type Members = Readonly<Record<string, JsonSchema>>

const described = { name: text, summary: text }
const argument = objectOf(
  'An argument of a command.',
  { ...described, kind: text, required: flag, many: flag },
  { choices: listOf(text) },
)
const option = objectOf(
  'An option of a command.',
  { ...described, kind: text, required: flag, many: flag },
  { short: text, choices: listOf(text) },
)
const commandMembers = {
  description: textOrNull,
  usage: text,
  arguments: listOf(argument),
  options: listOf(option),
  example: text,
  routes: listOf(text),
  output: textOrNull,
  needs_yes: flag,
}

/** JSON output of commands that is not an unchanged answer of the API. */
export const COMMAND_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Error: objectOf('What every command prints on standard error when it fails.', {
    error: objectOf(
      'The error.',
      { code: text, message: text, exit_code: { type: 'integer', enum: [1, 2, 4] } },
      {
        status: { type: 'integer', description: 'Of the answer.' },
        pointer: { ...text, description: 'JSON pointer, parameter or option of what is wrong.' },
        errors: listOf(objectOf('One thing that is wrong.', { pointer: text, code: text, message: text })),
        remedy: text,
        request_id: text,
        page: { ...text, description: 'Page of the problem.' },
      },
    ),
  }),
  Identity: objectOf('The key that is used.', { url: text, key_source: text, key: fromApi('CurrentApiKey') }),
  Login: objectOf('The key that was kept.', { profile: text, url: text, tenant: text, scopes: listOf(text) }),
  Logout: objectOf('Whether there was such a profile.', { profile: text, removed: flag }),
  Profile: objectOf('A profile that was kept.', { profile: text, url: text, chosen: flag }),
  Link: objectOf('A page of the console.', { url: text }),
  Gone: objectOf('What was deleted, revoked or cancelled.', { id: text, gone: { const: true } }),
  TriggeredEvent: objectOf('An event that was sent; with --dry-run, that would be.', {
    sent: flag,
    id: textOrNull,
    type: text,
    task_id: textOrNull,
    session_id: textOrNull,
    agent: textOrNull,
    data: { type: 'object' },
  }),
  TimelineEntry: objectOf('One event of a task, and what became of it.', {
    event: fromApi('Event'),
    deliveries: { anyOf: [listOf(fromApi('ListedDelivery')), { type: 'null' }] },
  }),
  SendResult: objectOf('The results of the lines of ariftly events send, of earlier runs too.', {
    object: { const: 'send_result' },
    accepted: { type: 'integer' },
    refused: { type: 'integer' },
    resumed_after_line: { type: 'integer', description: '0 when no earlier run was continued.' },
  }),
  ForwardedEvent: objectOf('An event that ariftly listen has delivered, or given up.', {
    object: { const: 'forwarded_event' },
    event_id: text,
    type: text,
    result: { type: 'string', enum: ['delivered', 'failed'] },
    status: { type: ['integer', 'null'], description: 'Of the last answer.' },
    reason: textOrNull,
    attempts: { type: 'integer' },
    duration_ms: { type: 'integer', description: 'Of the last attempt.' },
  }),
  Check: objectOf(
    'One check of ariftly doctor.',
    { check: text, status: { type: 'string', enum: ['ok', 'warning', 'failed', 'skipped'] }, detail: text },
    { remedy: text },
  ),
  CommandNode: objectOf(
    'A command, or a group of commands.',
    described,
    { commands: listOf({ $ref: '#/$defs/CommandNode' }), ...commandMembers },
  ),
  Help: objectOf(
    'The tree of commands, or one of them.',
    { ...described, global_options: listOf(option), exit_codes: { type: 'object' } },
    { commands: listOf({ $ref: '#/$defs/CommandNode' }), ...commandMembers },
  ),
}
