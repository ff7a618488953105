import { argv, stdout } from 'node:process'
import { fetchEventSource } from '@microsoft/fetch-event-source'
import { EventSource } from 'eventsource'

/** The clients that this program can be; it writes the data of each event as a line. A process of its own, as one wants a browser's globals. */
export type JavaScriptClient = 'eventsource' | 'fetch-event-source'

const [, , client, url = '', apiKey = ''] = argv
const headers = { Authorization: `Bearer ${apiKey}` }

if (client === 'eventsource') {
  const source = new EventSource(url, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
  })
  source.addEventListener('task.progress', (event) => show(String(event.data)))
} else {
  Object.assign(globalThis, { window: globalThis, document: new EventTarget() }) // What it needs of a browser.
  await fetchEventSource(url, {
    headers,
    openWhenHidden: true,
    onmessage(message) {
      if (message.event === 'task.progress') show(message.data)
    },
  })
}

function show(data: string): void {
  stdout.write(`${data}\n`)
}
