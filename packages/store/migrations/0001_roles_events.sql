-- Role of the services, the table of events, and the weekly partitions.

-- The role is one per server, shared by its databases; two migrations of two databases may create it at the same time.
-- It cannot log in until an operator gives it a password; services that have only the owner's URL switch to it.
do $$
begin
  if not exists (select from pg_roles where rolname = 'ariftly_app') then
    create role ariftly_app nologin;
  end if;
exception when duplicate_object or unique_violation then
  null;
end $$;

-- An owner that is no superuser may switch to the role only as its member.
do $$
begin
  if not pg_has_role(current_user, 'ariftly_app', 'set') then
    execute format('grant ariftly_app to %I', current_user);
  end if;
exception when insufficient_privilege then
  raise notice 'ariftly_app cannot be granted to %', current_user;
end $$;

do $$
begin
  execute format('grant connect on database %I to ariftly_app', current_database());
end $$;
revoke create on schema public from public;
grant usage on schema public to ariftly_app;
grant select on pgmigrations to ariftly_app;

-- The smallest UUID that an id of this millisecond can have: 48 bits of time, then zeros.
create function uuid_v7_floor(ms bigint) returns uuid
language sql immutable strict parallel safe
return (lpad(to_hex(ms), 12, '0') || repeat('0', 20))::uuid;

-- The millisecond inside an id.
create function uuid_v7_ms(id uuid) returns bigint
language sql immutable strict parallel safe
return ('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint;

-- The first millisecond (Monday 00:00 UTC) of the week of a moment.
create function week_start_ms(ms bigint) returns bigint
language sql immutable strict parallel safe
return ms - (((ms - 345600000) % 604800000) + 604800000) % 604800000;

-- One row an event, the projection of the log. `data` is json, not jsonb: the caller's bytes are kept as they are.
-- `data_bytes` lets a page end at 4 MiB without reading the values that it leaves out.
create table events (
  tenant_id text not null,
  id uuid not null,
  type text not null,
  task_id text,
  agent text,
  session_id text,
  epoch integer not null,
  partition integer not null,
  "offset" bigint not null,
  appended_at timestamptz not null,
  data json not null,
  data_bytes integer not null generated always as (octet_length(data::text)) stored,
  primary key (tenant_id, id)
) partition by range (id);

-- Type and agent stand behind the id of a task's or a session's events, so that rows of others are not read to be left out.
create index events_task on events (tenant_id, task_id, id, type, agent) where task_id is not null;
-- An agent's events stand by type, so that agent and type together are one range; an agent alone is a merge of its types.
create index events_agent on events (tenant_id, agent, type, id) where agent is not null;
-- The collation orders as the column's own does; it is said so that only lists by type alone, which say it too, take this index.
create index events_type on events (tenant_id, type collate "C", id);
create index events_session on events (tenant_id, session_id, id, type, agent) where session_id is not null;
create index events_position on events (tenant_id, epoch, partition, "offset");

grant select, insert on events to ariftly_app;

-- Creates what is missing of the weekly partitions of a table that hold [min_ms, max_ms]; answers how many it created.
-- Create, then attach: attaching takes no lock that reads or inserts wait for. Its caller checks the rule.
create function create_weekly_partitions(parent text, min_ms bigint, max_ms bigint) returns integer
language plpgsql set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
  week bigint := public.week_start_ms(min_ms);
  child text;
  created integer := 0;
begin
  while week <= max_ms loop
    child := parent || '_p' || to_char(to_timestamp(week / 1000.0) at time zone 'UTC', 'YYYYMMDD');
    if to_regclass('public.' || child) is null then
      perform pg_advisory_xact_lock(hashtextextended('ariftly partitions ' || parent, 0));
      -- Another may have created it while we waited. to_regclass remembers its answer from before; a query does not.
      if not exists (select from pg_class where relname = child and relnamespace = 'public'::regnamespace) then
        execute format('create table public.%I (like public.%I including all excluding indexes)', child, parent);
        execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
          parent, child, public.uuid_v7_floor(week), public.uuid_v7_floor(week + 604800000));
        created := created + 1;
      end if;
    end if;
    week := week + 604800000;
  end loop;
  return created;
end $$;

-- Drops the weekly partitions of a table that ended before a moment; answers their names.
create function drop_weekly_partitions(parent text, ended_before_ms bigint) returns text[]
language plpgsql set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
  child text;
  dropped text[] := '{}';
begin
  perform pg_advisory_xact_lock(hashtextextended('ariftly partitions ' || parent, 0));
  for child in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = ('public.' || parent)::regclass order by c.relname
  loop
    if extract(epoch from to_date(right(child, 8), 'YYYYMMDD')::timestamp) * 1000 + 604800000 < ended_before_ms then
      execute format('drop table public.%I', child);
      dropped := dropped || child;
    end if;
  end loop;
  return dropped;
end $$;

-- The accepted window of event ids: 90 days of history, the week of the log before that, and two weeks ahead.
-- Moments outside are cut off, so a wrong clock cannot fill the catalogue with tables.
create function ensure_event_partitions(min_ms bigint, max_ms bigint) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  now_ms bigint := extract(epoch from clock_timestamp()) * 1000;
begin
  return public.create_weekly_partitions('events', greatest(min_ms, now_ms - 98 * 86400000::bigint),
    least(max_ms, now_ms + 21 * 86400000::bigint));
end $$;

-- A partition goes when its end is older than the history (90 days), the log's retention and one day. The log's
-- retention is at least 7 days, whatever the caller says: the services' role cannot shorten the history.
create function drop_expired_event_partitions(log_retention_ms bigint) returns text[]
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  return public.drop_weekly_partitions('events', (extract(epoch from clock_timestamp()) * 1000)::bigint
    - (91 * 86400000::bigint) - greatest(log_retention_ms, 7 * 86400000::bigint));
end $$;

revoke execute on function create_weekly_partitions(text, bigint, bigint), drop_weekly_partitions(text, bigint),
  ensure_event_partitions(bigint, bigint), drop_expired_event_partitions(bigint) from public;
grant execute on function ensure_event_partitions(bigint, bigint), drop_expired_event_partitions(bigint)
  to ariftly_app;

select ensure_event_partitions((extract(epoch from now()) * 1000)::bigint - 90 * 86400000::bigint,
  (extract(epoch from now()) * 1000)::bigint + 14 * 86400000::bigint);
