const TASK = 'task_01j9x8k2m4e7s9v0w1x2y3z4a5'

/** What `npm start` prints when all works: where it is, a key, and three lines that can be pasted as they are. */
export function renderBanner(o: {
  readonly baseUrl: string
  readonly apiKey: string
  /** `host:port` of the brokers, for services that read the log. */
  readonly kafka: string
  readonly tookMs: number
}): string {
  const authorization = `-H "Authorization: Bearer ${o.apiKey}"`
  const event = {
    type: 'task.progress',
    task_id: TASK,
    agent: 'analyzer',
    data: { message: 'Analyzing document', progress: 0.3 },
  }
  return `
Ariftly Events API, ready after ${(o.tookMs / 1000).toFixed(1)} s

  Base URL  ${o.baseUrl}
  API key   ${o.apiKey}
  Kafka     ${o.kafka} (docs/kafka.md)

Open the stream of a task (in a second terminal):

curl -N ${o.baseUrl}/v1/events/stream ${authorization} -H "Accept: text/event-stream" --data-urlencode "task_id=${TASK}"

Post an event:

curl ${o.baseUrl}/v1/events ${authorization} -H "Content-Type: application/json" -d '${JSON.stringify(event)}'

List events:

curl "${o.baseUrl}/v1/events?task_id=${TASK}" ${authorization}

Ctrl-C stops everything; the data stay.
`
}
