import { Ariftly } from '../index.ts'
import { openSpool } from '../node/index.ts'

/** What a program of the tests does. */
export interface ProgramOrder {
  readonly baseUrl: string
  /** Folder of a spool. */
  readonly spool?: string
  /** How it ends: it just returns, calls `process.exit()`, or sets an exit code before. */
  readonly end: 'return' | 'exit' | 'exit with 3' | 'close'
  /** Bytes in each event. */
  readonly bytes?: number
  /** How many events; default 2. */
  readonly events?: number
}

const { baseUrl, spool, end, bytes = 10, events = 2 } = JSON.parse(process.argv[2] ?? '{}') as ProgramOrder
const client = new Ariftly({ baseUrl, apiKey: 'key', send: spool === undefined ? {} : { spool: openSpool(spool) } })

for (let n = 1; n <= events; n += 1) {
  try {
    client.events.trySend<{ n: number }>({
      type: 'task.progress',
      task_id: 't',
      data: { message: 'm'.repeat(bytes), n },
    })
  } catch (error) {
    console.log(`rejected: ${(error as NodeJS.ErrnoException).code}`)
  }
}
if (end === 'close') await client.close()
// A working program: its events are sent, and refused for now.
while (client.events.stats().retries + client.events.stats().accepted === 0) {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 10)
  })
}
console.log(JSON.stringify(client.events.stats()))
if (end === 'exit with 3') process.exitCode = 3
if (end !== 'return') process.exit()
