// Lints an OpenAPI document (standard input) with Redocly's recommended rules.
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { printFaults, readStdin } from './read-stdin.mjs'

const config = await createConfig({
  extends: ['recommended'],
  telemetry: 'off',
  rules: {
    // The documents and the page have no 4xx of their own, and an event that never changes answers 304.
    'operation-4xx-response': 'off',
    // `/v1/deliveries/{id}` and `/v1/deliveries/redeliver`: an id begins with `dlv_`, so no request fits both.
    'no-ambiguous-paths': 'off',
    // `NewCloudEvent`, which the description of `POST /v1/events` names.
    'no-unused-components': 'off',
  },
})
const problems = await lintFromString({ source: readStdin(), config, absoluteRef: 'openapi.json' })
printFaults(
  problems.map(({ ruleId, message, location: [place] }) => `${ruleId}: ${message} (${place?.pointer ?? '#'})`),
)
