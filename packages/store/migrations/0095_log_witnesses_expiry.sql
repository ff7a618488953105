-- The clock of Postgres alone does not decide what is history: the log is a witness. Things expire by the earlier of this clock and a
-- day after the newest append, whose time is of the brokers, so a clock that is ahead removes nothing. While nothing is appended
-- things only expire later.

-- When the newest record was appended, of the newest epoch that has one; null before the first. Of each partition the last row by
-- offset, not by time: the record that follows on those of a broker whose clock was ahead is right. A probe of the primary key
-- of log_times a partition.
create function newest_append_time() returns timestamptz
language sql stable parallel safe
return (
  select max(newest.appended_at)
    from (select distinct epoch, partition from projection_offsets where projection = 'events') part
   cross join lateral (
         select t.appended_at from log_times t where t.epoch = part.epoch and t.partition = part.partition
          order by t."offset" desc limit 1) newest
   group by part.epoch order by part.epoch desc limit 1);

-- The moment by which things expire. `appended_ms` is the append time of a record that is not projected yet. Before the first
-- append there is no history, and the clock decides.
create function history_now(appended_ms bigint default null) returns timestamptz
language sql stable parallel safe
return least(now(), greatest(newest_append_time(), to_timestamp(appended_ms / 1000.0)) + interval '1 day');

-- The first millisecond of the oldest week of events that is kept: history, the log's retention and a day. What is older has been
-- dropped, or is about to be.
create function events_kept_from_ms(appended_ms bigint default null) returns bigint
language sql stable parallel safe
return week_start_ms((extract(epoch from history_now(appended_ms)) * 1000)::bigint
  - (select days_ms(events_days + log_days + 1) from retention));

-- Deliveries of events that were appended before this are not kept.
create function deliveries_kept_from_ms() returns bigint
language sql stable parallel safe
return (extract(epoch from history_now()) * 1000)::bigint - (select days_ms(deliveries_days) from retention);

revoke execute on function newest_append_time(), history_now(bigint), events_kept_from_ms(bigint), deliveries_kept_from_ms()
  from public;
grant execute on function newest_append_time(), history_now(bigint), events_kept_from_ms(bigint), deliveries_kept_from_ms()
  to ariftly_app;

-- Makes what is missing of the weeks of events of [min_ms, max_ms], and answers how many, and from when on events are kept: older
-- weeks are not made. Weeks ahead are made up to three weeks beyond the later of the clock and the append time of the record that
-- needs one, so a wrong clock neither fills the catalogue with tables nor keeps a record waiting.
drop function ensure_event_partitions(bigint, bigint);
create function ensure_event_partitions(min_ms bigint, max_ms bigint, appended_ms bigint default null,
  out created integer, out kept_from_ms bigint)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  kept_from_ms := public.events_kept_from_ms(appended_ms);
  created := public.create_weekly_partitions('events', greatest(min_ms, kept_from_ms),
    least(max_ms, greatest((extract(epoch from clock_timestamp()) * 1000)::bigint, appended_ms) + public.days_ms(21)));
end $$;

-- Drops the weeks of events that are not kept.
drop function drop_expired_event_partitions(bigint);
create function drop_expired_event_partitions() returns text[]
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  -- That function keeps a week that ends at its moment, and such a week is expired.
  return public.drop_weekly_partitions('events', public.events_kept_from_ms() + 1);
end $$;

revoke execute on function ensure_event_partitions(bigint, bigint, bigint), drop_expired_event_partitions() from public;
grant execute on function ensure_event_partitions(bigint, bigint, bigint), drop_expired_event_partitions() to ariftly_app;

-- A delivery's id carries the append time of its event, which is projected before it is matched.
create or replace function ensure_delivery_partitions(min_ms bigint, max_ms bigint) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  now_ms bigint := extract(epoch from greatest(clock_timestamp(), public.newest_append_time())) * 1000;
  lowest bigint := greatest(min_ms, public.deliveries_kept_from_ms());
  highest bigint := least(max_ms, now_ms + public.days_ms(21));
begin
  return public.create_weekly_partitions('deliveries', lowest, highest)
    + public.create_weekly_partitions('attempts', lowest, highest);
end $$;

create or replace function drop_expired_delivery_partitions(out dropped text[], out expired bigint)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before_ms bigint := public.deliveries_kept_from_ms();
begin
  -- Whole weeks alone are dropped: what is counted is below the start of the week that holds before_ms.
  select count(*) into expired from public.deliveries
    where id < public.uuid_v7_floor(public.week_start_ms(before_ms)) and state in ('pending', 'queued', 'attempting');
  dropped := public.drop_weekly_partitions('attempts', before_ms)
    || public.drop_weekly_partitions('deliveries', before_ms);
end $$;

create or replace function delete_expired_replays(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := public.history_now() - (select make_interval(days => deliveries_days) from public.retention);
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
  before timestamptz := public.history_now() - (select make_interval(days => deliveries_days) from public.retention);
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

create or replace function delete_expired_webhooks(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := public.history_now()
    - make_interval(days => (select deliveries_days from public.retention) + 8);
  expired uuid[];
begin
  expired := array(
    select w.id from public.webhooks w
    where w.deleted_at < before
      and not exists (select from public.webhook_replays r where r.webhook_id = w.id)
    order by w.deleted_at limit rows_max for update skip locked);
  delete from public.webhook_endpoints where webhook_id = any (expired);
  delete from public.webhooks where id = any (expired);
  return cardinality(expired);
end $$;

create or replace function delete_expired_audit_entries(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before_ms bigint := extract(epoch from public.history_now() - interval '400 days') * 1000;
  deleted integer;
begin
  delete from public.audit_entries where id = any (array(
    select id from public.audit_entries where id < public.uuid_v7_floor(before_ms)
    order by id limit rows_max for update skip locked));
  get diagnostics deleted = row_count;
  return deleted;
end $$;

create or replace function delete_revoked_api_keys(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  ids uuid[];
  deleted integer;
begin
  perform pg_advisory_xact_lock(5170233911);
  ids := array(select id from public.api_keys where revoked_at < public.history_now() - interval '35 days'
    order by revoked_at limit rows_max);
  insert into public.removed_api_key_hashes (hash, tenant_id)
    select hash, tenant_id from public.api_keys where id = any (ids)
    union all
    select r.hash, k.tenant_id from public.api_key_retired_secrets r join public.api_keys k on k.id = r.api_key_id
     where r.api_key_id = any (ids);
  delete from public.api_key_retired_secrets where api_key_id = any (ids);
  delete from public.idempotency_keys where api_key_id = any (ids);
  delete from public.api_keys where id = any (ids);
  get diagnostics deleted = row_count;
  return deleted;
end $$;
