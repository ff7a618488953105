import type { Queryable } from './queryable.ts'

/** A partition without its index for one that its table got with `create index … on only`. */
interface MissingIndex {
  readonly parent: string
  readonly partition: string
  /** As `pg_get_indexdef` words it. */
  readonly definition: string
  /** Name of the partition's index. */
  readonly name: string
  /** An earlier run has built it and not attached it. */
  readonly built: boolean
}

/** What {@link buildPartitionIndexes} is given. */
export interface BuildOptions {
  readonly log: (message: string) => void
  /** For statements that lock out readers or writers. */
  readonly lockTimeoutMs: number
  /** Runs a step again while another session holds a lock that it needs. */
  readonly retryLocked: (step: () => Promise<void>) => Promise<void>
}

/** Start of a partitioned index's definition, up to the method. */
const HEAD = /^CREATE INDEX \S+ ON ONLY \S+ USING /

/**
 * Builds, partition by partition, the indexes that a migration declared with `create index … on only`, and attaches them. No
 * reader or writer waits: each is built concurrently, so not in a transaction, and waits for older transactions as long as it
 * takes. What an earlier run left half built is dropped and built again. Partitions that are made later get the index with
 * their table.
 */
export async function buildPartitionIndexes(db: Queryable, o: BuildOptions): Promise<void> {
  const limited = `SET lock_timeout = ${o.lockTimeoutMs}`
  for (const { parent, partition, definition, name, built } of await findMissing(db)) {
    if (!HEAD.test(definition)) throw new Error(`cannot build on partitions: ${definition}`)
    if (!built) {
      o.log(`building index ${name}`)
      await o.retryLocked(async () => {
        await db.query(limited)
        await db.query(`DROP INDEX IF EXISTS ${name}`)
        // The limit would also count for its waits for older transactions. No reader or writer waits for the lock that it takes.
        await db.query('SET lock_timeout = 0')
        await db.query(definition.replace(HEAD, `CREATE INDEX CONCURRENTLY ${name} ON ${partition} USING `))
      })
    }
    await o.retryLocked(async () => {
      await db.query(limited)
      await db.query(`ALTER INDEX ${parent} ATTACH PARTITION ${name}`)
    })
  }
}

async function findMissing(db: Queryable): Promise<readonly MissingIndex[]> {
  const { rows } = await db.query<MissingIndex>(
    `SELECT i.indexrelid::regclass::text AS parent, p.inhrelid::regclass::text AS partition,
            pg_get_indexdef(i.indexrelid) AS definition, child.name,
            EXISTS (SELECT FROM pg_index built
                     WHERE built.indexrelid = to_regclass(child.name) AND built.indrelid = p.inhrelid AND built.indisvalid
                       AND substring(pg_get_indexdef(built.indexrelid) FROM ' USING .*')
                           = substring(pg_get_indexdef(i.indexrelid) FROM ' USING .*')) AS built
       FROM pg_index i
       JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'I'
       JOIN pg_inherits p ON p.inhparent = i.indrelid
       CROSS JOIN LATERAL (SELECT p.inhrelid::regclass::text || '_' || i.indexrelid::regclass::text) AS child (name)
      WHERE NOT i.indisvalid
        AND NOT EXISTS (
              SELECT FROM pg_inherits a JOIN pg_index own ON own.indexrelid = a.inhrelid
               WHERE a.inhparent = i.indexrelid AND own.indrelid = p.inhrelid)
      ORDER BY 1, 2`,
  )
  return rows
}
