// An agent that reports what it does. ARIFTLY_URL=http://localhost:8080 ARIFTLY_API_KEY=… node agent.mjs task_1
import { Ariftly } from '@ariftly/sdk'

const taskId = process.argv[2] ?? 'task_1'
const client = new Ariftly()
// A container ends with a signal, which ends Node without a word: what is queued is sent first.
process.once('SIGTERM', () => void client.close().then(() => process.exit()))
const event = (type, data) => ({ type, task_id: taskId, agent: 'analyzer', data })

await client.events.send(event('task.created', { title: 'Read a document' }))
for (const page of [1, 2, 3]) {
  // Not awaited: the event is sent with others, and retried while the server is unavailable.
  client.events.trySend(event('task.progress', { message: `Page ${page} of 3`, progress: page / 3 }))
}
await client.events.send(event('task.complete', { artifact_count: 1 }))
await client.close()
