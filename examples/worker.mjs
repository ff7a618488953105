// Follows a task from its start to its end, and continues where it was when it is started again.
// ARIFTLY_URL=http://localhost:8080 ARIFTLY_API_KEY=… node worker.mjs task_1
import { Ariftly } from '@ariftly/sdk'
import { filePositionStore } from '@ariftly/sdk/node'

const taskId = process.argv[2] ?? 'task_1'
const client = new Ariftly()
const stream = client.events.stream({
  task_id: taskId,
  after: new Date(Date.now() - 3_600_000).toISOString(),
  positionStore: filePositionStore(`.positions/${taskId}`),
})

for await (const event of stream) {
  switch (event.type) {
    case 'task.progress':
      console.log(`${event.data.message} (${Math.round((event.data.progress ?? 0) * 100)} %)`)
      break
    case 'task.complete':
    case 'task.failed':
      console.log(event.type)
      stream.close() // The event counts as done; after `break` it would be repeated.
      break
    case 'stream.reset':
      console.log(`Some events may be missing: ${event.reason}`)
      break
    default: // Other types, and types that will be added.
  }
}
await client.close()
