import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from '@jest/globals'
import { findFreePort } from './ports.ts'

/** Finds so many ports in a process of its own, which lives on until it is killed. */
async function findElsewhere(count: number) {
  const source = `
    import { findFreePort } from './ports.ts'
    const ports = await Promise.all(Array.from({ length: ${count} }, () => findFreePort()))
    console.log(JSON.stringify(ports))
    setInterval(() => {}, 1000)`
  const flags = ['--import', 'tsx', '--input-type=module', '-e', source]
  const child = spawn(process.execPath, flags, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { child, ports: JSON.parse(line.toString()) as number[] }
}

// Of 10,000 ports 600 that are drawn at random would hold some eighteen twice.
test('a port is given to one caller alone, of all processes that live, before a process listens on it', async () => {
  const { child, ports } = await findElsewhere(300)
  try {
    const own = await Promise.all(Array.from({ length: 300 }, () => findFreePort()))
    expect(new Set([...ports, ...own]).size).toBe(600)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})
