/**
 * SQL: the tokens that an endpoint `e` of a webhook `w` with a rate limit has now. The bucket fills with `rate_limit` a second and
 * holds a quarter of a second's worth, at least one. A clock of Postgres that was set back fills it like one that went on, so
 * that the endpoint does not wait until the clock has made up for it.
 */
export const RATE_TOKENS = `least(greatest(1, w.rate_limit / 4.0)::float8,
                       coalesce(e.rate_tokens + w.rate_limit
                                * abs(extract(epoch FROM clock_timestamp() - e.rate_refilled_at))::float8, 1))`

/** SQL: until that endpoint has a token, in whole ms; 0 when it has one or needs none. A second at most. */
export const NEXT_TOKEN_MS = `ceil(greatest(0, (1 - ${RATE_TOKENS}) / w.rate_limit) * 1000)::int`

/**
 * SQL: when a failing endpoint `e` is to be probed; null for an open one. Further away than its wait it can only be when the clock of Postgres
 * was set back: it is due then. `clock_timestamp()`, as another transaction may have set it after this one began.
 */
export const NEXT_PROBE_AT = `CASE WHEN e.next_probe_at > clock_timestamp() + e.probe_delay_ms * interval '1 ms' THEN now()
                                 ELSE e.next_probe_at END`
