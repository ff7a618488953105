import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'

const execute = promisify(execFile)

/** What Postgres must be set to, from its start on, so that it can be backed up while it works; `archive` is a folder. */
export function archivingSettings(archive: string): Readonly<Record<string, string>> {
  return {
    wal_level: 'replica',
    archive_mode: 'on',
    archive_command: `test ! -f ${archive}/%f && cp %p ${archive}/%f`,
  }
}

/** The two statements around the copy; docs/operations/backup.md has them. One session sends both. */
export const START_BACKUP = "SELECT pg_backup_start('ariftly', fast => true)"
export const STOP_BACKUP = 'SELECT labelfile FROM pg_backup_stop()'

/**
 * A base backup by Postgres' low-level interface, as in docs/operations/backup.md: it needs no program of Postgres' own, so no version of
 * one. https://www.postgresql.org/docs/18/continuous-archiving.html
 * @param data the data directory of the server, which keeps running.
 * @param file where the archive of tar is written; the label is written next to it.
 */
export async function takeBaseBackup(adminUrl: string, data: string, file: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    await client.query(START_BACKUP)
    await tar('-C', data, '--exclude=./postmaster.pid', '--exclude=./pg_wal/*', '-cpf', file, '.')
    const { rows } = await client.query<{ labelfile: string }>(STOP_BACKUP)
    writeFileSync(`${file}.label`, rows[0]?.labelfile ?? '')
  } finally {
    await client.end()
  }
}

/** Unpacks a base backup so that the next start of Postgres replays the archived log up to the end of the backup, and continues from there. */
export async function restoreBaseBackup(file: string, archive: string, data: string): Promise<void> {
  mkdirSync(data, { recursive: true, mode: 0o700 })
  await tar('-C', data, '-xpf', file)
  copyFileSync(`${file}.label`, join(data, 'backup_label'))
  writeFileSync(join(data, 'recovery.signal'), '')
  const recovery = {
    restore_command: `cp ${archive}/%f %p`,
    recovery_target: 'immediate',
    recovery_target_action: 'promote',
  }
  const lines = Object.entries(recovery).map(([name, value]) => `${name} = '${value}'\n`)
  writeFileSync(join(data, 'postgresql.auto.conf'), lines.join(''), { flag: 'a' })
}

/** Files change and disappear while they are read, which tar reports with code 1: replaying the log repairs that. */
async function tar(...args: readonly string[]): Promise<void> {
  try {
    await execute('tar', [...args])
  } catch (error) {
    if ((error as { code?: unknown }).code !== 1) throw error
  }
}
