import { createServer } from 'node:net'
import { Fault } from '@ariftly/runtime'
import type { StandaloneConfig } from './config.ts'

/** Checks the port before anything is started. @throws Fault `listen_failed` when it is taken or not allowed. */
export async function checkPort(config: Pick<StandaloneConfig, 'HOST' | 'PORT'>): Promise<void> {
  const { HOST: host, PORT: port } = config
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen({ host, port }, () => {
      server.close(() => {
        resolve(true)
      })
    })
  })
  if (free) return
  const message = `Port ${port} of ${host} is taken or not allowed: stop what listens there, or choose another one: PORT=${port + 1} npm start`
  throw new Fault({ code: 'listen_failed', message })
}
