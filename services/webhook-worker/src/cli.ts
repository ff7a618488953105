import { parseTypeId } from '@ariftly/events'
import { createKeyring } from '@ariftly/keyring'
import { ConfigFault, databaseConfig, databaseConnection, messageOf, readConfig, settings } from '@ariftly/runtime'
import { createPool, SERVICE_ROLE } from '@ariftly/store'
import { webhookExists } from '@ariftly/store/webhooks'
import type { Command } from './commands/command.ts'
import { disable } from './commands/disable.ts'
import { drain } from './commands/drain.ts'
import { reEncrypt } from './commands/re-encrypt.ts'

const EX_USAGE = 64 // sysexits.h
const EX_CONFIG = 78

const COMMANDS: Readonly<Record<string, { readonly run: Command; readonly about: 'one' | 'all' }>> = {
  drain: { run: drain, about: 'one' },
  disable: { run: disable, about: 'one' },
  're-encrypt': { run: reEncrypt, about: 'all' },
}

const USAGE = `Usage: npm run webhooks -- <command>

  drain <id>    makes every pending delivery of the webhook due: a webhook worker does it
  disable <id>  disables the webhook; its pending deliveries wait
  re-encrypt    seals all secrets with the first of ENCRYPTION_KEYS; exit code 1 when one cannot be opened
`

process.exitCode = await main(process.argv.slice(2), process.env)

async function main([name = '', webhookId, ...more]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const command = COMMANDS[name]
  if (command === undefined || more.length > 0 || (command.about === 'one') !== (webhookId !== undefined)) {
    process.stderr.write(USAGE)
    return EX_USAGE
  }
  if (webhookId !== undefined && parseTypeId('whk', webhookId) === undefined) {
    process.stderr.write(`${webhookId} is not the id of a webhook (whk_…)\n`)
    return EX_USAGE
  }
  try {
    return await run(command.run, webhookId, env)
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    return error instanceof ConfigFault ? EX_CONFIG : 1
  }
}

async function run(command: Command, webhookId: string | undefined, env: NodeJS.ProcessEnv): Promise<number> {
  const pool = createPool({
    ...databaseConnection(readConfig(databaseConfig, env)),
    applicationName: 'ariftly-webhooks-cli',
    max: 1,
    role: SERVICE_ROLE,
    statementTimeoutMs: 60_000,
    transactionTimeoutMs: 60_000,
  })
  try {
    if (webhookId !== undefined && !(await webhookExists(pool, { webhookId }))) {
      process.stderr.write(`There is no webhook ${webhookId}\n`)
      return 1
    }
    return await command({
      pool,
      keyring: () => createKeyring(readConfig({ ENCRYPTION_KEYS: settings.ENCRYPTION_KEYS }, env).ENCRYPTION_KEYS),
      webhookId,
      print: (line) => process.stdout.write(`${line}\n`),
    })
  } finally {
    await pool.end()
  }
}
