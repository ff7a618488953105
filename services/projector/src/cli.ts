import { createKafka } from '@ariftly/kafka'
import {
  createLogger,
  databaseConfig,
  databaseConnection,
  kafkaConfig,
  kafkaConnection,
  readConfig,
  refuseCall,
  runCommand,
  settings,
} from '@ariftly/runtime'
import { createPool } from '@ariftly/store'
import { adoptLog } from './commands/adopt-log.ts'
import type { Command, CommandContext } from './commands/command.ts'
import { rebuild } from './commands/rebuild.ts'
import { status } from './commands/status.ts'
import { verify } from './commands/verify.ts'

const HOUR_MS = 3_600_000
const COMMANDS: Readonly<Record<string, Command>> = { status, verify, rebuild, 'adopt-log': adoptLog }

const USAGE = `Usage: npm run projection -- <command>

  status      how far the projection of events is, and how far behind, per partition
  verify      compares log and table over what the log still holds; exit code 1 when they differ
  rebuild     reads the log from its start and inserts missing events; moves no offset, touches no row
  adopt-log   opens a new epoch: the log under this name is another one, and it is read from its start
              (--force: also when that is not known; never when it is the one that was read)
`

const cliConfig = {
  ...kafkaConfig,
  KAFKA_TOPIC: settings.KAFKA_TOPIC,
  KAFKA_DLQ_TOPIC: settings.KAFKA_DLQ_TOPIC,
  KAFKA_PARTITIONS: settings.KAFKA_PARTITIONS,
  ...databaseConfig,
  DATABASE_ADMIN_URL: settings.DATABASE_ADMIN_URL,
} as const

await runCommand(() => main(process.argv.slice(2), process.env))

async function main([name, ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const command = COMMANDS[name ?? '']
  const unknown = args.find((arg) => arg !== '--force')
  if (unknown !== undefined) return refuseCall(`Unknown argument ${unknown}\n\n${USAGE}`)
  if (command === undefined) return refuseCall(USAGE)
  return await run(command, args.includes('--force'), env)
}

async function run(command: Command, force: boolean, env: NodeJS.ProcessEnv): Promise<number> {
  const config = readConfig(cliConfig, env)
  const log = createLogger({ service: 'projection', level: 'error' })
  const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-projection-cli', log })
  // The operator's commands use the owner's role: a service may not open an epoch.
  const pool = createPool({
    role: null,
    ...databaseConnection(config),
    url: config.DATABASE_ADMIN_URL ?? config.DATABASE_URL,
    applicationName: 'ariftly-projection-cli',
    max: 2,
    // `verify` reads a week of the table in one statement.
    statementTimeoutMs: command === verify ? HOUR_MS : 60_000,
    transactionTimeoutMs: command === verify ? HOUR_MS : 120_000,
  })
  const context: CommandContext = {
    kafka,
    pool,
    topic: config.KAFKA_TOPIC,
    dlqTopic: config.KAFKA_DLQ_TOPIC,
    partitions: config.KAFKA_PARTITIONS,
    force,
    now: Date.now,
    print: (line) => process.stdout.write(`${line}\n`),
  }
  try {
    return await command(context)
  } finally {
    await Promise.all([pool.end(), kafka.close()])
  }
}
