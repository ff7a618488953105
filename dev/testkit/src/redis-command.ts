import { once } from 'node:events'
import { connect } from 'node:net'

/** Sends one inline command to a Redis of a test, on a connection of its own; rejects unless it answers OK. */
export async function redisCommand(port: number, line: string): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${line}\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  if (answer.toString() !== '+OK\r\n') throw new Error(`Redis answered ${answer.toString()}`)
}
