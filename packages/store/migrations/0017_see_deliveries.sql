-- What a delivery shows of its newest attempt, lists of deliveries by time, redelivery by filter, statistics, payload filters.

alter table deliveries
  add column last_attempt_at timestamptz,
  add column last_response_status integer,
  -- Null before the first attempt and after a success.
  add column last_error_class text,
  -- Attempts before the newest redelivery or replay; `attempt_count` counts those since, by which the schedule goes.
  add column earlier_attempts integer not null default 0,
  -- Sent again by a redelivery or a replay: counted in no statistics from then on.
  add column redelivered boolean not null default false;

-- Newest first by creation. Partitions get them one by one (migrate). A collation that is named in the index and in the
-- statement makes the choice of the index a matter of the statement, not of statistics.
create index deliveries_event on only deliveries (event_id);
create index deliveries_task on only deliveries (tenant_id collate "C", ordering_key, created_at, id);
create index deliveries_webhook_created on only deliveries (tenant_id collate "C", webhook_id, created_at, id);
create index deliveries_webhook_failed on only deliveries (tenant_id collate "POSIX", webhook_id, created_at, id)
  where state = 'failed';
create index deliveries_tenant_created on only deliveries (tenant_id, created_at, id);
create index deliveries_tenant_failed on only deliveries (tenant_id collate "POSIX", created_at, id) where state = 'failed';

-- A filter over `data` and attributes, as given; null: none.
alter table webhooks add column filter json;

-- Redeliveries by filter: each is a cursor over the deliveries that it may send again, oldest first.
create table redeliveries (
  id uuid primary key,
  tenant_id text not null,
  -- As asked for, `status` always among it.
  filter json not null,
  -- Counts and changes nothing.
  dry_run boolean not null,
  state text not null default 'running' check (state in ('running', 'completed', 'cancelled', 'failed')),
  -- The last delivery that was looked at; null before the first slice.
  cursor_id uuid,
  scanned_count bigint not null default 0,
  -- Deliveries that were made pending (or, on a dry run, would be).
  delivery_count bigint not null default 0,
  -- Slices in a row that ended with an error.
  failed_slices integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- When the next slice is due; whose turn was longest ago is next.
  due_at timestamptz not null default now(),
  finished_at timestamptz,
  check ((state = 'running') = (finished_at is null))
);
create unique index redeliveries_running on redeliveries (tenant_id) where state = 'running' and not dry_run;
create index redeliveries_due on redeliveries (due_at) where state = 'running';
grant select, insert, update on redeliveries to ariftly_app;

create function delete_expired_redeliveries(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := clock_timestamp() - interval '35 days';
  deleted integer;
begin
  -- By primary key, from the oldest on: an id carries the time at which it was made, which is before its end.
  delete from public.redeliveries where id = any (array(
    select id from public.redeliveries
    where id < public.uuid_v7_floor((extract(epoch from before) * 1000)::bigint) and finished_at < before
    order by id limit rows_max for update skip locked));
  get diagnostics deleted = row_count;
  return deleted;
end $$;
revoke execute on function delete_expired_redeliveries(integer) from public;
grant execute on function delete_expired_redeliveries(integer) to ariftly_app;

-- How a webhook's first deliveries went, by minute and by quarter of an hour.
create table webhook_stats (
  webhook_id uuid not null,
  step_s integer not null check (step_s in (60, 900)),
  at timestamptz not null,
  delivered_count integer not null,
  failed_count integer not null,
  attempt_count integer not null,
  -- By the order of ERROR_CLASSES.
  error_counts integer[] not null,
  -- Histogram of latencies: entry n counts those from 1.2^(n - 1) ms to 1.2^n ms.
  latency_counts integer[] not null,
  primary key (webhook_id, step_s, at)
);
create index webhook_stats_age on webhook_stats (step_s, at);
grant select, insert, update, delete on webhook_stats to ariftly_app;

-- Sums arrays of counts by place; the shorter one ends with zeros.
create function add_counts(a integer[], b integer[]) returns integer[]
language sql immutable parallel safe set search_path = pg_catalog, public, pg_temp as $$
  select coalesce(array_agg(coalesce(x, 0) + coalesce(y, 0) order by n), '{}')
    from unnest(a, b) with ordinality as counts (x, y, n)
$$;
grant execute on function add_counts(integer[], integer[]) to ariftly_app;
