import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { isStopped, stateOf } from './is-stopped.ts'

let parent: number
let child: number

/** A shell that waits for its child, as the postmaster does for its sessions. */
beforeEach(async () => {
  const shell = spawn('sh', ['-c', 'sleep 100 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] })
  parent = shell.pid ?? 0
  const [line] = await once(shell.stdout, 'data')
  child = Number(String(line))
})

afterEach(() => {
  for (const pid of [child, parent]) process.kill(pid, 'SIGKILL')
})

test('a process is stopped when it and its children are, and not before', async () => {
  expect(isStopped(parent)).toBe(false)
  process.kill(parent, 'SIGSTOP')
  await eventually('the parent is stopped', () => stateOf(parent) === 'T')
  expect(isStopped(parent)).toBe(false)
  process.kill(child, 'SIGSTOP')
  await eventually('the process is found stopped', () => isStopped(parent))
})

test('a child that ended while its parent was stopped, and so has not been reaped, counts as stopped too', async () => {
  process.kill(parent, 'SIGSTOP')
  await eventually('the parent is stopped', () => stateOf(parent) === 'T')
  process.kill(child, 'SIGKILL')
  await eventually('the child has ended', () => stateOf(child) === 'Z')
  expect(isStopped(parent)).toBe(true)
})
