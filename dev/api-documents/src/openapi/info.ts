/** The version of the API, as the OpenAPI document has it. */
export const API_VERSION = '1.0.0'

const KEY = '-H "Authorization: Bearer $ARIFTLY_API_KEY"'

/** The document's `info`; `/docs` begins with its description and shows the address of the page in the place of `$ARIFTLY_URL`. */
export const INFO = {
  title: 'Ariftly Events API',
  version: API_VERSION,
  summary: 'Post, query, stream and deliver the events of agents.',
  contact: { name: 'Ariftly', url: 'https://ariftly.io' },
  license: { name: 'Proprietary', url: 'https://ariftly.io/terms' },
  description: `Every state change in the platform is an immutable event.

## First calls

Post an event, list the events of its task, and follow them. While the third call is open, run the first one again in another terminal.

\`\`\`sh
curl $ARIFTLY_URL/v1/events ${KEY} \\
  -H "Content-Type: application/json" \\
  -d '{"type":"task.progress","task_id":"task_1","data":{"message":"Analyzing document","progress":0.3}}'
\`\`\`

\`\`\`sh
curl "$ARIFTLY_URL/v1/events?task_id=task_1" ${KEY}
\`\`\`

\`\`\`sh
curl -N "$ARIFTLY_URL/v1/events/stream?task_id=task_1" ${KEY}
\`\`\`

## Guides

[Producing events](/docs/guides/producing), [streaming](/docs/guides/streaming), [webhooks](/docs/guides/webhooks), [Kafka](/docs/guides/kafka), [tenants and keys](/docs/guides/tenants-and-keys), [customers of your own](/docs/guides/customers), [the TypeScript SDK](/docs/guides/sdk), [the Python SDK](/docs/guides/sdk-python), [the command line](/docs/guides/command-line), [the console](/docs/guides/console). Errors have a page each: [/problems](/problems). For language models: [/llms.txt](/llms.txt). Clients can be generated from [/openapi.json](/openapi.json); the topics are described by [/asyncapi.json](/asyncapi.json).

## What holds for all calls

**Keys.** All paths under \`/v1\` need \`Authorization: Bearer <API key>\` with the scope that the operation names. Another tenant's resource is 404.

**Errors** are \`application/problem+json\` (RFC 9457) with a stable \`code\` and, for input, \`errors\` that name each parameter or pointer. A parameter that is unknown, empty or repeated is 400; a body with an unknown member or a bad value is 422. \`X-Request-Id\` is on every answer.

**Lists** answer \`{object, data, has_more, next_cursor}\`; pass \`next_cursor\` as \`cursor\` to get the next page.

**New members** may appear in any answer, and new values where the text lists known ones: ignore the ones that you do not know. A generated client reads an event of a new type as the last alternative of \`Event\`.`,
} as const
