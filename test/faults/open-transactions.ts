import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The smallest part of a pg client that is needed here. */
export interface Queries {
  query(
    sql: string,
    values: readonly unknown[],
  ): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>
}

/**
 * Transactions that this very process holds open in Postgres: its sockets are found in /proc and matched with the
 * client ports of `pg_stat_activity`, so that a twin's transactions are not taken for its own.
 */
export async function countOpenTransactions(db: Queries, pid: number): Promise<number> {
  const sql = `SELECT count(*)::int AS open FROM pg_stat_activity
    WHERE xact_start IS NOT NULL AND backend_type = 'client backend' AND client_port = ANY($1::int[])`
  const result = await db.query(sql, [localPortsOf(pid)])
  return Number(result.rows[0]?.['open'] ?? 0)
}

/** Local TCP ports of a process. */
function localPortsOf(pid: number): readonly number[] {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => socketInode(`/proc/${pid}/fd/${fd}`)))
  return ['tcp', 'tcp6'].flatMap((table) => {
    const lines = readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1)
    return lines.flatMap((line) => {
      const columns = line.trim().split(/\s+/)
      const port = Number.parseInt(columns[1]?.split(':')[1] ?? '', 16)
      return inodes.has(columns[9] ?? '') ? [port] : []
    })
  })
}

function socketInode(path: string): readonly string[] {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1]
    return inode === undefined ? [] : [inode]
  } catch {
    return [] // Closed since the folder was listed.
  }
}
