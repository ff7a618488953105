import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test } from '@jest/globals'
import { takeLock, tryLock, type Lock } from './lock.ts'

const held: Lock[] = []
afterEach(async () => {
  await Promise.all(held.splice(0).map((lock) => lock.release()))
})

test('a lock has one holder, and the next one gets it when it is given up', async () => {
  const name = `lock ${process.pid} ${Math.random()}`
  const first = await takeLock(name)
  held.push(first)
  expect(await tryLock(name)).toBeUndefined()
  let waits = 0
  let second: Promise<Lock> | undefined
  await new Promise<void>((resolve) => {
    second = takeLock(name, () => {
      waits += 1
      resolve()
    })
  })
  await first.release()
  held.push((await second) as Lock)
  expect(waits).toBe(1)
  expect(await tryLock(name)).toBeUndefined()
  const other = await tryLock(`${name} of another`)
  expect(other).toBeDefined()
  if (other !== undefined) held.push(other)
})

test('a lock ends with its holder, even when that is killed', async () => {
  const name = `lock ${process.pid} ${Math.random()}`
  const source = `import { tryLock } from './lock.ts'; await tryLock(${JSON.stringify(name)}); console.log('held'); setInterval(() => {}, 1000)`
  const flags = ['--import', 'tsx', '--input-type=module', '-e', source]
  const holder = spawn(process.execPath, flags, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  expect(await tryLock(name)).toBeUndefined()
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  held.push(await takeLock(name))
})
