/**
 * SQL: when a failing endpoint `e` is to be probed; null for an open one. Further away than its wait it can only be when the clock of Postgres
 * was set back: it is due then. `clock_timestamp()`, as another transaction may have set it after this one began.
 */
export const NEXT_PROBE_AT = `CASE WHEN e.next_probe_at > clock_timestamp() + e.probe_delay_ms * interval '1 ms' THEN now()
                                 ELSE e.next_probe_at END`
