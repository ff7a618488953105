import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createStreamReader } from '@ariftly/testkit'
import type { ForeignClient } from './client-world.ts'
import type { JavaScriptClient } from './javascript-client.ts'

/** Where a client connects to. */
export interface ForeignTarget {
  readonly url: string
  readonly apiKey: string
}

/** `curl -N` as the documentation shows it, called again with the last id whenever it ends. */
export function startCurl({ url, apiKey }: ForeignTarget): ForeignClient {
  const numbers: number[] = []
  let lastId: string | undefined
  let closed = false
  let child: ChildProcess | undefined

  function call(): void {
    if (closed) return
    const resume = lastId === undefined ? [] : ['-H', `Last-Event-ID: ${lastId}`]
    child = spawn('curl', ['-sN', url, '-H', `Authorization: Bearer ${apiKey}`, ...resume])
    const reader = createStreamReader((message) => {
      lastId = message.id ?? lastId
      take(numbers, message.event, message.data)
    })
    child.stdout?.setEncoding('utf8').on('data', (text: string) => reader.push(text))
    child.once('close', () => setTimeout(call, 100))
  }

  call()
  return {
    numbers,
    close() {
      closed = true
      child?.kill()
    },
  }
}

/** npm `eventsource` or `@microsoft/fetch-event-source`, which reconnect on their own. */
export function startJavaScript(client: JavaScriptClient, { url, apiKey }: ForeignTarget): ForeignClient {
  const file = join(import.meta.dirname, 'javascript-client.ts')
  return startPrinter(process.execPath, ['--import', 'tsx', file, client, url, apiKey])
}

const PYTHON = `
import http.client, sys, time, urllib.parse
url, key = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2]
last = None
while True:
    try:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
        headers = {"Authorization": "Bearer " + key, "Accept": "text/event-stream"}
        if last: headers["Last-Event-ID"] = last
        connection.request("GET", url.path + "?" + url.query, headers=headers)
        event = {}
        for raw in connection.getresponse():
            line = raw.decode()
            if not line.endswith("\\n"): break
            line = line.rstrip("\\n")
            if line == "":
                if "id" in event: last = event["id"]
                if event.get("event") == "task.progress": print(event["data"], flush=True)
                event = {}
            elif ": " in line:
                name, value = line.split(": ", 1)
                event[name] = value
    except (OSError, http.client.HTTPException):
        pass
    time.sleep(0.1)
`

/** Whether this machine has a Python. */
export function hasPython(): boolean {
  return spawnSync('python3', ['--version']).status === 0
}

/** Python's own http.client and twenty lines. */
export function startPython({ url, apiKey }: ForeignTarget): ForeignClient {
  return startPrinter('python3', ['-c', PYTHON, url, apiKey])
}

/** A program that writes the data of each event as a line. */
function startPrinter(file: string, args: readonly string[]): ForeignClient {
  const numbers: number[] = []
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(numbers, 'task.progress', line)
  })
  return { numbers, close: () => void child.kill() }
}

function take(numbers: number[], event: string | undefined, data: string): void {
  if (event === 'task.progress') numbers.push(Number(/"n":(\d+)/.exec(data)?.[1]))
}
