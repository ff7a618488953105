import { createConnection } from 'node:net'

/** Where a server of the stack is: a port of 127.0.0.1, or a socket's file. */
export type ProbeAddress = { readonly port: number } | { readonly path: string }

/**
 * Sends a server one request and returns whether its answer is the expected one. Enough of each protocol to know that the server
 * works, without a client library.
 * @param done checks all bytes received so far: true or false ends the probe, undefined waits for more.
 */
export function probe(
  address: ProbeAddress,
  question: Buffer,
  done: (answer: Buffer) => boolean | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0)
    const socket = createConnection('path' in address ? address : { ...address, host: '127.0.0.1' })
    const finish = (result: boolean) => {
      socket.destroy()
      resolve(result)
    }
    socket.setTimeout(2000, () => {
      finish(false)
    })
    socket.once('connect', () => socket.write(question))
    socket.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk])
      const verdict = done(answer)
      if (verdict !== undefined) finish(verdict)
    })
    socket.once('error', () => {
      finish(false)
    })
    socket.once('close', () => {
      finish(false)
    })
  })
}
