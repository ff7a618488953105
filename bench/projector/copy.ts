import { spawnSync } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'

const COLUMNS = 'tenant_id, id, type, task_id, agent, session_id, epoch, partition, "offset", appended_at, data'

/** Writes the rows of the table to a file, in the table's order. */
export async function copyOut(databaseUrl: string, file: string): Promise<void> {
  await onClient(databaseUrl, async (client) => {
    const rows = client.query(copyTo(`COPY (SELECT ${COLUMNS} FROM events) TO STDOUT`))
    await pipeline(rows, createWriteStream(file))
  })
}

/**
 * Loads the file with `\copy` of psql where there is one, otherwise with the same statement and protocol; answers the
 * milliseconds that it took, without the start of the client.
 */
export async function copyIn(databaseUrl: string, file: string): Promise<number> {
  return psqlCopy(databaseUrl, file) ?? (await streamCopy(databaseUrl, file))
}

function psqlCopy(databaseUrl: string, file: string): number | undefined {
  const script = `\\timing on\n\\copy events (${COLUMNS}) from '${file}'\n`
  const { stdout, status } = spawnSync('psql', ['-X', '-v', 'ON_ERROR_STOP=1', databaseUrl], {
    input: script,
    encoding: 'utf8',
  })
  const ms = /Time: ([\d.]+) ms/.exec(stdout ?? '')?.[1]
  return status === 0 && ms !== undefined ? Number(ms) : undefined
}

async function streamCopy(databaseUrl: string, file: string): Promise<number> {
  return await onClient(databaseUrl, async (client) => {
    const startedMs = performance.now()
    await pipeline(createReadStream(file), client.query(copyFrom(`COPY events (${COLUMNS}) FROM STDIN`)))
    return performance.now() - startedMs
  })
}

async function onClient<T>(databaseUrl: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
