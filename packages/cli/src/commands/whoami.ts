import type { Command } from '../command/command.ts'
import { printObject } from '../command/print.ts'

/** `ariftly whoami`: the key that is used, and for what. */
export const whoami: Command = {
  name: 'whoami',
  summary: 'Show the tenant and the scopes of the key, and where the key is from.',
  example: 'ariftly whoami',
  routes: ['GET /v1/api-keys/current'],
  output: 'cli:Identity',
  async run(context) {
    const client = await context.client()
    const { url, keySource } = await context.server()
    const key = await client.apiKeys.current({ signal: context.signal })
    await printObject(context, { url, key_source: keySource, key })
  },
}
