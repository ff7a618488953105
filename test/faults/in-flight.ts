import type { ListClient } from './list-client.ts'
import { isWanted, type PlannedEvent } from './ledger.ts'
import type { LoadClient } from './load-client.ts'
import type { CountInFlight } from './killer.ts'
import type { Replica } from './fleet.ts'
import { countOpenTransactions, type Queries } from './open-transactions.ts'
import type { StreamClient } from './stream-client.ts'

/** The sources of the counter. */
export interface InFlightSources {
  readonly db: Queries
  readonly clients: readonly LoadClient[]
  readonly lists: readonly ListClient[]
  readonly streams: readonly StreamClient[]
  readonly acknowledged: () => readonly PlannedEvent[]
}

/**
 * What each service has in flight, in its own terms: ingest and api: requests sent and not answered; projector:
 * transactions open in Postgres; gateway: acknowledged events that its streams have not been sent; worker: deliveries
 * that are being attempted and were not so at an earlier kill.
 */
export function createInFlightCounter(sources: InFlightSources): CountInFlight {
  const { db, clients, lists, streams } = sources
  const attemptingBefore = new Set<string>()

  function eventsBehind(gateway: Replica): number {
    const connected = streams.filter((stream) => stream.connectedTo() === gateway.url)
    const acknowledged = sources.acknowledged()
    return connected.reduce((behind, { seen, has }) => {
      return behind + acknowledged.filter((e) => isWanted(e, seen.tenant, seen.wanted) && !has(e.id)).length
    }, 0)
  }

  async function attempting(): Promise<number> {
    const sql = `SELECT id::text || '/' || attempt::text AS attempt FROM deliveries
                  WHERE state = 'queued' AND started_attempt = attempt`
    const attempts = (await db.query(sql, [])).rows.map((row) => String(row['attempt']))
    const fresh = attempts.filter((attempt) => !attemptingBefore.has(attempt))
    for (const attempt of fresh) attemptingBefore.add(attempt)
    return fresh.length
  }

  return function countInFlight(replica) {
    switch (replica.service) {
      case 'ingest':
        return clients.reduce((sum, client) => sum + client.unanswered(), 0)
      case 'api':
        return lists.reduce((sum, list) => sum + list.unanswered(), 0)
      case 'projector':
        return countOpenTransactions(db, replica.pid())
      case 'stream-gateway':
        return eventsBehind(replica)
      case 'webhook-worker':
        return attempting()
    }
  }
}
