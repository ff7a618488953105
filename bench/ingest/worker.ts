import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A process of its own that answers one message after the other. */
export interface Worker {
  readonly pid: number
  ask<A>(message: object): Promise<A>
  close(): Promise<void>
}

/** Starts `file` (TypeScript) as a process, on one processor if `cpu` is given, and resolves when it says that it is ready. */
export async function startWorker(file: string, cpu?: number): Promise<Worker> {
  const child = fork(file, [], {
    execArgv: ['--conditions=source', '--conditions=@ariftly/source', '--import', 'tsx'],
    serialization: 'json',
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${file} could not be started`)
  await nextMessage(child, file)
  if (cpu !== undefined) pin(pid, cpu)

  async function ask<A>(message: object): Promise<A> {
    child.send(message)
    return (await nextMessage(child, file)) as A
  }

  async function close(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill()
    await exited
  }

  return { pid, ask, close }
}

async function nextMessage(child: ChildProcess, file: string): Promise<unknown> {
  const ended = new AbortController()
  try {
    const exit = once(child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error(`${file} ended`)
    })
    const [message] = (await Promise.race([once(child, 'message', { signal: ended.signal }), exit])) as [unknown]
    return message
  } finally {
    ended.abort()
  }
}

/** In a worker: answers each message and says that it is ready. An error ends the process. */
export function serveMessages(answer: (message: unknown) => Promise<unknown>): void {
  process.on('message', (message) => {
    void answer(message).then((result) => process.send?.(result))
  })
  process.on('disconnect', () => process.exit())
  process.send?.('ready')
}

/** Keeps a process with all its threads on one processor; where there is no `taskset`, nothing is pinned, for all alike. */
export function pin(pid: number, cpu: number): void {
  spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(cpu), String(pid)], { stdio: 'ignore' })
}
