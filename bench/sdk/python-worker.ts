import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { testVenv } from '../../test/sdk-python/venv.ts'
import type { ClientOrder, ClientResult } from './client.ts'

/** Its cost, and how much the memory of the Python process grew, MiB. */
export interface PythonResult extends ClientResult {
  readonly grownMb: number
}

/** A process that sends in Python. */
export interface PythonWorker {
  ask(order: ClientOrder): Promise<PythonResult>
  close(): Promise<void>
}

/** Starts `client.py`, with its packages by hash. */
export async function startPythonWorker(): Promise<PythonWorker> {
  const venv = await testVenv(join(import.meta.dirname, 'requirements.txt'))
  const { PATH, HOME } = process.env
  const child = spawn(venv.python, [join(import.meta.dirname, 'client.py')], {
    env: { PATH, HOME, ...venv.env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  await next()

  async function next(): Promise<string> {
    const { value, done } = await lines.next()
    if (done === true) throw new Error('client.py ended')
    return value
  }

  return {
    async ask(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`)
      return JSON.parse(await next()) as PythonResult
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill()
      await exited
    },
  }
}
