import type { Queryable } from './queryable.ts'

/** A partition without its index for one that its table got with `create index … on only`. */
interface MissingIndex {
  readonly parent: string
  readonly partition: string
  /** As `pg_get_indexdef` words it. */
  readonly definition: string
}

/** Start of a partitioned index's definition, up to the method. */
const HEAD = /^CREATE INDEX \S+ ON ONLY \S+ USING /

/**
 * Builds, partition by partition, the indexes that a migration declared with `create index … on only`, and attaches them. No
 * reader or writer waits: each is built concurrently, so not in a transaction. What an earlier run left half built is
 * dropped and built again. Partitions that are made later get the index with their table.
 */
export async function buildPartitionIndexes(db: Queryable, log: (message: string) => void): Promise<void> {
  for (const { parent, partition, definition } of await findMissing(db)) {
    if (!HEAD.test(definition)) throw new Error(`cannot build on partitions: ${definition}`)
    const name = `${partition}_${parent}`
    log(`building index ${name}`)
    await db.query(`DROP INDEX IF EXISTS ${name}`)
    await db.query(definition.replace(HEAD, `CREATE INDEX CONCURRENTLY ${name} ON ${partition} USING `))
    await db.query(`ALTER INDEX ${parent} ATTACH PARTITION ${name}`)
  }
}

async function findMissing(db: Queryable): Promise<readonly MissingIndex[]> {
  const { rows } = await db.query<MissingIndex>(
    `SELECT i.indexrelid::regclass::text AS parent, p.inhrelid::regclass::text AS partition,
            pg_get_indexdef(i.indexrelid) AS definition
       FROM pg_index i
       JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'I'
       JOIN pg_inherits p ON p.inhparent = i.indrelid
      WHERE NOT i.indisvalid
        AND NOT EXISTS (
              SELECT FROM pg_inherits a JOIN pg_index own ON own.indexrelid = a.inhrelid
               WHERE a.inhparent = i.indexrelid AND own.indrelid = p.inhrelid)
      ORDER BY 1, 2`,
  )
  return rows
}
