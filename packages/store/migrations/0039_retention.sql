-- How long events, the log and deliveries are kept: one row, written by `migrate` from its settings and read by functions and
-- services. The services' role can only read it.
create table retention (
  only_row boolean primary key default true check (only_row),
  events_days integer not null default 90 check (events_days between 35 and 3650),
  log_days integer not null default 7 check (log_days between 1 and 3650),
  deliveries_days integer not null default 35 check (deliveries_days between 35 and 3650),
  -- The log is not to bring back what the table has dropped, and a delivery needs its event. Replays reach back 30 days, and
  -- redeliveries 35.
  check (log_days <= events_days),
  check (deliveries_days <= events_days)
);
insert into retention default values;
grant select on retention to ariftly_app;

-- Days in milliseconds.
create function days_ms(days integer) returns bigint
language sql immutable strict parallel safe
return days * 86400000::bigint;

-- The accepted window of event ids: the history, the week of the log before that and a day, and three weeks ahead.
create or replace function ensure_event_partitions(min_ms bigint, max_ms bigint) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  now_ms bigint := extract(epoch from clock_timestamp()) * 1000;
  kept integer := (select events_days from public.retention);
begin
  return public.create_weekly_partitions('events', greatest(min_ms, now_ms - public.days_ms(kept + 8)),
    least(max_ms, now_ms + public.days_ms(21)));
end $$;

-- A partition goes when its end is older than the history, the log's retention and one day, whatever the caller says of the log:
-- the services' role cannot shorten the history.
create or replace function drop_expired_event_partitions(log_retention_ms bigint) returns text[]
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  kept public.retention;
begin
  select * into kept from public.retention;
  return public.drop_weekly_partitions('events', (extract(epoch from clock_timestamp()) * 1000)::bigint
    - public.days_ms(kept.events_days + 1) - greatest(log_retention_ms, public.days_ms(kept.log_days)));
end $$;

create or replace function ensure_delivery_partitions(min_ms bigint, max_ms bigint) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  now_ms bigint := extract(epoch from clock_timestamp()) * 1000;
  lowest bigint := greatest(min_ms, now_ms - public.days_ms((select deliveries_days from public.retention)));
  highest bigint := least(max_ms, now_ms + public.days_ms(21));
begin
  return public.create_weekly_partitions('deliveries', lowest, highest)
    + public.create_weekly_partitions('attempts', lowest, highest);
end $$;

create or replace function drop_expired_delivery_partitions(out dropped text[], out expired bigint)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before_ms bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint
    - public.days_ms((select deliveries_days from public.retention));
begin
  -- Whole weeks alone are dropped: what is counted is below the start of the week that holds before_ms.
  select count(*) into expired from public.deliveries
    where id < public.uuid_v7_floor(public.week_start_ms(before_ms)) and state in ('pending', 'queued', 'attempting');
  dropped := public.drop_weekly_partitions('attempts', before_ms)
    || public.drop_weekly_partitions('deliveries', before_ms);
end $$;

-- Replays and redeliveries go like deliveries: so long after their end.
create or replace function delete_expired_replays(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := clock_timestamp() - (select make_interval(days => deliveries_days) from public.retention);
  deleted integer;
begin
  -- By primary key, from the oldest on: an id carries the time at which it was made, which is before its end.
  delete from public.webhook_replays where id = any (array(
    select id from public.webhook_replays
    where id < public.uuid_v7_floor((extract(epoch from before) * 1000)::bigint) and finished_at < before
    order by id limit rows_max for update skip locked));
  get diagnostics deleted = row_count;
  return deleted;
end $$;

create or replace function delete_expired_redeliveries(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := clock_timestamp() - (select make_interval(days => deliveries_days) from public.retention);
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
