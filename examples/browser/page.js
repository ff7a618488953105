// Shows a task live: /?task_id=task_1
import { Ariftly, localStoragePositionStore } from '@ariftly/sdk'

const taskId = new URLSearchParams(location.search).get('task_id') ?? 'task_1'
const client = new Ariftly({
  baseUrl: document.body.dataset.url,
  streamToken: async ({ task_id: id }) => await (await fetch(`/token?task_id=${encodeURIComponent(id)}`)).json(),
})
const stream = client.events.stream({
  task_id: taskId,
  after: new Date(Date.now() - 3_600_000).toISOString(),
  positionStore: localStoragePositionStore(`position of ${taskId}`),
})

async function show() {
  for await (const event of stream) {
    const item = document.createElement('li')
    item.textContent = event.type === 'task.progress' ? event.data.message : event.type
    document.querySelector('ul').append(item)
  }
}

void show()
