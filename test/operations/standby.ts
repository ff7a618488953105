import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startStack, type LocalStack } from '@ariftly/local-stack'

const SETTINGS = { wal_level: 'replica', hot_standby: 'on' } as const

/** Starts a Postgres of which a standby can be made; never on servers that the shell happens to name. */
export async function startPrimary(dataDir: string): Promise<LocalStack> {
  return await startPostgres(dataDir)
}

/** Copies a Postgres, stopped meanwhile, and starts the copy as a standby: it accepts reads, refuses writes, and is never promoted. */
export async function startStandby(primary: LocalStack, from: string, to: string): Promise<LocalStack> {
  await primary.postgres?.stop()
  const place = join(to, 'postgres')
  mkdirSync(place, { recursive: true, mode: 0o711 })
  execFileSync('cp', ['-a', join(from, 'postgres/data'), join(place, 'data')])
  writeFileSync(join(place, 'data/standby.signal'), '')
  // To the local stack: there is a cluster, make none.
  writeFileSync(join(place, 'initialised'), '')
  await primary.postgres?.start()
  return await startPostgres(to)
}

async function startPostgres(dataDir: string): Promise<LocalStack> {
  const { PATH, HOME } = process.env
  return await startStack({
    dataDir,
    ephemeral: true,
    env: { PATH, HOME },
    parts: ['postgres'],
    postgresSettings: SETTINGS,
  })
}
