import { EVENT_TYPES, LIMITS } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { PROBLEMS, type NamedRoute } from '@ariftly/http'
import type { ServedGuide } from './guides/read-guides.ts'
import { guideLinks } from './guides/guide-page.ts'

/** The API for language models, in Markdown (https://llmstxt.org): made of the routes that are served, the guides and the catalogue. */
export function renderLlmsText(routes: readonly NamedRoute[], guides: readonly ServedGuide[]): string {
  return `# Ariftly Events API

> Post, query, stream and deliver the events of agents. All paths under /v1 need \`Authorization: Bearer <API key>\`.

Errors are application/problem+json with a stable \`code\`; \`GET /problems/{code}\` says cause and fix (send \`Accept: application/json\`).
Lists answer \`{object, data, has_more, next_cursor}\`; pass \`next_cursor\` as \`cursor\`. An unknown parameter is 400, an unknown member 422.
A request to \`POST /v1/events\` holds at most ${LIMITS.eventsPerRequestMax} events and ${LIMITS.requestBytesMax / 1024 / 1024} MiB. After a time-out post the same \`id\` again: the same id is the same event.

## Guides

${guideLinks(guides)}

## Documents

- [OpenAPI](/openapi.json): every route with schemas and examples
- [AsyncAPI](/asyncapi.json): the Kafka topics
- [Reference](/docs): the same as OpenAPI, for people
- [Problems](/problems): every \`code\` with cause and fix (send \`Accept: application/json\`)

## Routes

${routes.map(({ method, path, summary, scope }) => `- \`${method} ${path}\`: ${summary}${scope === 'none' ? '' : ` (scope ${scope})`}`).join('\n')}

## Event types

${EVENT_TYPES.map((type) => `- \`${type}\`: ${catalogue[type].description}`).join('\n')}

## Problem codes

${Object.entries(PROBLEMS)
  .map(([code, { status, cause }]) => `- \`${code}\` (${status}): ${cause}`)
  .join('\n')}
`
}
