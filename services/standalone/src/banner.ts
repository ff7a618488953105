const TASK = 'task_01j9x8k2m4e7s9v0w1x2y3z4a5'

/** The text that `npm start` prints when all services work: addresses, two variables, and calls with them to paste. */
export function renderBanner(o: {
  readonly baseUrl: string
  readonly apiKey: string
  /** `host:port` of the brokers, for services that read the log. */
  readonly kafka: string
  /** Absolute. */
  readonly dataDir: string
  readonly tookMs: number
}): string {
  const authorization = '-H "Authorization: Bearer $ARIFTLY_API_KEY"'
  const json = '-H "Content-Type: application/json"'
  const event = {
    type: 'task.progress',
    task_id: TASK,
    agent: 'analyzer',
    data: { message: 'Analyzing document', progress: 0.3 },
  }
  const key = { name: 'my agents', scopes: ['events:write', 'events:read'] }
  return `
Ariftly Events API, ready after ${(o.tookMs / 1000).toFixed(1)} s

  Base URL  ${o.baseUrl}
  Reference ${o.baseUrl}/docs
  Console   ${o.baseUrl}/console
  Guides    ${o.baseUrl}/docs/guides
  API key   ${o.apiKey}
  Kafka     ${o.kafka} (docs/kafka.md)
  Data      ${o.dataDir}

In each terminal:

export ARIFTLY_URL=${o.baseUrl}
export ARIFTLY_API_KEY=${o.apiKey}

Open the stream of a task (in a second terminal):

curl -N $ARIFTLY_URL/v1/events/stream ${authorization} -H "Accept: text/event-stream" --data-urlencode "task_id=${TASK}"

Post an event:

curl $ARIFTLY_URL/v1/events ${authorization} ${json} -d '${JSON.stringify(event)}'

List events:

curl "$ARIFTLY_URL/v1/events?task_id=${TASK}" ${authorization}

Make another key:

curl $ARIFTLY_URL/v1/api-keys ${authorization} ${json} -d '${JSON.stringify(key)}'

Ctrl-C stops everything; the data stay.
`
}
