import type pg from 'pg'

/**
 * What a query function needs of Postgres: a pool (each query on a connection of its own) or a transaction. Values are
 * parameters, always; `int8` columns arrive as numbers, `json` columns as the text that is stored.
 */
export interface Queryable {
  query<R extends pg.QueryResultRow>(
    config: string | pg.QueryConfig<unknown[]>,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>>
}

/** A connection inside `BEGIN … COMMIT`, from `withTransaction`; COPY streams use its `query` too. */
export type Transaction = pg.PoolClient
