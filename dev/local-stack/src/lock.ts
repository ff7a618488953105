import { createHash } from 'node:crypto'
import { unlinkSync } from 'node:fs'
import { createConnection, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A lock that is held. It ends with `release`, or with the process that holds it, however that ends. */
export interface Lock {
  release(): Promise<void>
}

/**
 * Takes the machine-wide lock `name` if it is free. The lock is a listening local socket, so the kernel gives it up when the
 * process ends, even by SIGKILL: there is no stale lock. On Linux the socket is in the abstract name space; elsewhere it is a file,
 * and one without a listener is removed.
 */
export async function tryLock(name: string): Promise<Lock | undefined> {
  const id = `ariftly-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
  if (process.platform === 'linux') return listen(`\0${id}`)
  const path = join(tmpdir(), `${id}.sock`)
  const held = await listen(path)
  if (held !== undefined || (await answers(path))) return held
  unlinkSync(path)
  return listen(path)
}

/** Takes the lock `name`, waiting until its holder gives it up. `onWait` is called once if there is something to wait for. */
export async function takeLock(name: string, onWait?: () => void): Promise<Lock> {
  for (let first = true; ; first = false) {
    const held = await tryLock(name)
    if (held !== undefined) return held
    if (first) onWait?.()
    await delay(100)
  }
}

function listen(path: string): Promise<Lock | undefined> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => socket.destroy())
    server.unref()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(path, () => {
      resolve({ release: () => new Promise((done) => server.close(() => done())) })
    })
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
