import { readFileSync } from 'node:fs'
import { databaseConfig, databaseConnection, readConfig, refuseCall, runCommand } from '@ariftly/runtime'
import { createPool, SERVICE_ROLE } from '@ariftly/store'
import { deleteAgain, printDeleted } from './tenants/tenant-commands.ts'

const COMMANDS = { deleted: printDeleted, delete: deleteAgain } as const

const USAGE = `Usage: npm run tenants -- <command>

  deleted <day>   prints the ids of the tenants that were deleted on that day (UTC, 2026-11-28) or later, one a line
  delete <file>   deletes the tenants of such a list, known or not (-: standard input); exit code 1 when it names one that cannot be
`

await runCommand(() => main(process.argv.slice(2), process.env))

async function main([name = '', argument, ...more]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (!isCommand(name) || argument === undefined || more.length > 0) return refuseCall(USAGE)
  const text = name === 'deleted' ? argument : readFileSync(argument === '-' ? 0 : argument, 'utf8')
  return await run(name, text, env)
}

function isCommand(name: string): name is keyof typeof COMMANDS {
  return Object.hasOwn(COMMANDS, name)
}

async function run(name: keyof typeof COMMANDS, text: string, env: NodeJS.ProcessEnv): Promise<number> {
  const pool = createPool({
    ...databaseConnection(readConfig(databaseConfig, env)),
    applicationName: 'ariftly-tenants-cli',
    max: 1,
    role: SERVICE_ROLE,
  })
  try {
    return await COMMANDS[name](pool, text, (line) => process.stdout.write(`${line}\n`))
  } finally {
    await pool.end()
  }
}
