import { createServer } from 'node:net'
import { randomInt } from 'node:crypto'
import { StackFault } from './fault.ts'

const FIRST = 20_000
const COUNT = 10_000
const TRIES = 100

/**
 * Finds a free TCP port of 127.0.0.1, in 20000..29999: below the range from which the kernel gives ports to
 * outgoing connections, so that no process takes the port of a backend while a test has it stopped. `avoid` are ports that are promised
 * already. As long as this process lives no call gives the port again, here or in another process. A program that does not ask here
 * can still take it before it is used: callers try again with another one.
 * @throws StackFault when a hundred tries found none.
 */
export async function findFreePort(avoid: ReadonlySet<number> = new Set()): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = FIRST + randomInt(COUNT)
    if (!avoid.has(port) && (await isPortFree(port)) && (await reserve(port))) return port
  }
  throw new StackFault(`No free TCP port was found between ${FIRST} and ${FIRST + COUNT - 1} on 127.0.0.1.`)
}

/** Whether `port` of 127.0.0.1 can be listened on at this moment. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true)
      })
    })
  })
}

/**
 * Reserves a port for this process until it ends; false if another call has it. On Linux the reservation is a listening socket in
 * the abstract name space, which the kernel frees with the process. It has no listener: one would keep the module, and in tests
 * all that a file has loaded, in memory. Elsewhere nothing is reserved.
 */
async function reserve(port: number): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const server = createServer().unref()
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(`\0ariftly-port-${port}`, () => {
      server.removeAllListeners()
      resolve(true)
    })
  })
}
