-- The schema, by resource: roles, ids and weekly partitions; retention; the log; events; tenants; API keys; audit and kept
-- answers; webhooks; deliveries; replays and redeliveries; matching and queueing; statistics; processes.
--
-- Services have the role `ariftly_app` and the rights that are granted here. Functions that do what the role may not
-- (`security definer`) check their rule themselves.

-- Roles -----------------------------------------------------------------------------------------------------------------------

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

-- An owner that is not a superuser may switch to the role only as its member.
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

-- One row: the digest of this file without comments, by which `migrate` tells a database of a draft.
create table schema_digest (
  digest text not null
);
insert into schema_digest values (current_setting('ariftly.schema'));

-- Ids and weekly partitions ---------------------------------------------------------------------------------------------------

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

-- Days in milliseconds.
create function days_ms(days integer) returns bigint
language sql immutable strict parallel safe
return days * 86400000::bigint;

-- Creates the missing weekly partitions of a table that hold [min_ms, max_ms]; returns how many it created. Creates, then
-- attaches: attaching takes no lock that reads or inserts wait for. Its caller checks the rule.
create function create_weekly_partitions(parent text, min_ms bigint, max_ms bigint) returns integer
language plpgsql set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
  week bigint := public.week_start_ms(min_ms);
  child text;
  index record;
  created integer := 0;
begin
  while week <= max_ms loop
    child := parent || '_p' || to_char(to_timestamp(week / 1000.0) at time zone 'UTC', 'YYYYMMDD');
    if to_regclass('public.' || child) is null then
      perform pg_advisory_xact_lock(hashtextextended('ariftly partitions ' || parent, 0));
      -- Another session may have created it during the wait. to_regclass remembers its result from before; a query does not.
      if not exists (select from pg_class where relname = child and relnamespace = 'public'::regnamespace) then
        -- Deliveries are updated: with room on each page for a row's next versions most updates write no index.
        execute format('create table public.%I (like public.%I including all excluding indexes) with (fillfactor = %s)',
          child, parent, case parent when 'deliveries' then 50 else 100 end);
        execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
          parent, child, public.uuid_v7_floor(week), public.uuid_v7_floor(week + 604800000));
        -- Postgres names the indexes after their columns.
        for index in
          select own.relname as name, child || '_' || declared.relname as new_name
            from pg_index i
            join pg_inherits on inhrelid = i.indexrelid
            join pg_class own on own.oid = i.indexrelid
            join pg_class declared on declared.oid = inhparent
           where i.indrelid = ('public.' || child)::regclass and not i.indisprimary
        loop
          execute format('alter index public.%I rename to %I', index.name, index.new_name);
        end loop;
        created := created + 1;
      end if;
    end if;
    week := week + 604800000;
  end loop;
  return created;
end $$;

-- Drops the weekly partitions of a table that ended before a moment; returns their names.
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

revoke execute on function create_weekly_partitions(text, bigint, bigint), drop_weekly_partitions(text, bigint) from public;

-- Retention -------------------------------------------------------------------------------------------------------------------

-- How long events, the log and deliveries are kept: one row, written by `migrate` from its settings.
create table retention (
  only_row boolean primary key default true check (only_row),
  events_days integer not null default 90 check (events_days between 35 and 3650),
  log_days integer not null default 7 check (log_days between 1 and 3650),
  deliveries_days integer not null default 35 check (deliveries_days between 35 and 3650),
  -- The log must not bring back what the table has dropped, and a delivery needs its event. Replays reach back 30 days, and
  -- redeliveries 35.
  check (log_days <= events_days),
  check (deliveries_days <= events_days)
);
insert into retention default values;
grant select on retention to ariftly_app;

-- The log ---------------------------------------------------------------------------------------------------------------------

-- Each incarnation of the log. A wiped or exchanged broker, and a topic that was deleted and created again, is a new epoch.
-- Only the owner opens one: `migrate` and `adopt-log`.
create table log_epochs (
  epoch integer primary key check (epoch > 0),
  topic text not null,
  cluster_id text not null,
  topic_id text not null,
  created_at timestamptz not null default now()
);
create index log_epochs_topic on log_epochs (topic, epoch);
grant select on log_epochs to ariftly_app;

-- How far each projection (`events`, `webhooks`) has read. The update that moves next_offset is its fence.
create table projection_offsets (
  projection text not null,
  epoch integer not null references log_epochs (epoch),
  topic text not null,
  partition integer not null,
  next_offset bigint not null check (next_offset >= 0),
  last_offset bigint,
  last_id uuid,
  updated_at timestamptz not null default now(),
  primary key (projection, epoch, topic, partition)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0);
grant select, insert, update on projection_offsets to ariftly_app;

-- Offsets that the log lost before they were read: [from_offset, to_offset).
create table log_holes (
  projection text not null,
  epoch integer not null references log_epochs (epoch),
  topic text not null,
  partition integer not null,
  from_offset bigint not null,
  to_offset bigint not null check (to_offset > from_offset),
  found_at timestamptz not null default now(),
  primary key (projection, epoch, topic, partition, from_offset)
);
grant select, insert, update (to_offset) on log_holes to ariftly_app;

-- Log time to position, longer than the log itself remembers: at most one row a second and partition.
create table log_times (
  epoch integer not null references log_epochs (epoch),
  partition integer not null,
  "offset" bigint not null,
  appended_at timestamptz not null,
  primary key (epoch, partition, "offset")
);
create index log_times_appended_at on log_times (epoch, partition, appended_at, "offset");
grant select, insert, delete on log_times to ariftly_app;

-- What is history -------------------------------------------------------------------------------------------------------------

-- The clock of Postgres alone does not decide it: the log is a witness. Things expire by the earlier of this clock and a day after
-- the newest append, whose time is of the brokers, so a clock that is ahead removes nothing. While nothing is appended things only
-- expire later.

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

-- Events ----------------------------------------------------------------------------------------------------------------------

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
  -- When the projector wrote the row.
  projected_at timestamptz default statement_timestamp(),
  primary key (tenant_id, id)
) partition by range (id);

-- Each list of events has one index that can serve it, by the collation of the tenant in index and statement, with any statistics.
-- The primary key has the column's own, and takes no list with a filter. All order by bytes. A statement with a task or a type
-- says "C", one with a session or an agent "POSIX".
-- Type and agent stand behind the id of a task's or a session's events, so that rows of others are not read to be left out.
create index events_task on events (tenant_id collate "C", task_id, id, type, agent) where task_id is not null;
create index events_session on events (tenant_id collate "POSIX", session_id, id, type, agent) where session_id is not null;
-- An agent's events stand by type, so that agent and type together are one range; an agent alone is a merge of its types.
create index events_agent on events (tenant_id collate "POSIX", agent, type, id) where agent is not null;
create index events_type on events (tenant_id collate "C", type, id);
create index events_position on events (tenant_id, epoch, partition, "offset");
-- Events are immutable: rows are only ever inserted, dropped with their week, or deleted with their tenant.
grant select, insert on events to ariftly_app;

-- Makes what is missing of the weeks of events of [min_ms, max_ms]. Returns how many, and from when on events are kept: older weeks
-- are not made. Weeks ahead are made up to three weeks beyond the later of the clock and the append time of the record that
-- needs one, so a wrong clock neither fills the catalogue with tables nor keeps a record waiting.
create function ensure_event_partitions(min_ms bigint, max_ms bigint, appended_ms bigint default null,
  out created integer, out kept_from_ms bigint)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  kept_from_ms := public.events_kept_from_ms(appended_ms);
  created := public.create_weekly_partitions('events', greatest(min_ms, kept_from_ms),
    least(max_ms, greatest((extract(epoch from clock_timestamp()) * 1000)::bigint, appended_ms) + public.days_ms(21)));
end $$;

-- Drops the weeks of events that are not kept.
create function drop_expired_event_partitions() returns text[]
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  -- That function keeps a week that ends at its moment, and such a week is expired.
  return public.drop_weekly_partitions('events', public.events_kept_from_ms() + 1);
end $$;

revoke execute on function ensure_event_partitions(bigint, bigint, bigint), drop_expired_event_partitions() from public;
grant execute on function ensure_event_partitions(bigint, bigint, bigint), drop_expired_event_partitions() to ariftly_app;

-- Tenants ---------------------------------------------------------------------------------------------------------------------

-- One row for each tenant that an operator has put or deleted. A tenant without a row is active and has the default limits.
create table tenants (
  id text primary key check (id ~ '^[a-z0-9-]{1,64}$'),
  state text not null check (state in ('active', 'suspended', 'deleting', 'deleted')),
  -- Null is the default.
  events_per_s integer check (events_per_s between 1 and 1000000),
  streams integer check (streams between 1 and 1000000),
  webhooks integer check (webhooks between 1 and 1000000),
  api_keys integer check (api_keys between 1 and 1000000),
  -- Rows that the deletion has removed so far.
  deleted_count bigint not null default 0,
  -- When the deletion began, and when it ended.
  refused_at timestamptz,
  deleted_at timestamptz,
  -- A transaction number that was taken after the deletion's begin was committed: earlier transactions may not know of it.
  refused_xid xid8,
  -- How far the deletion has come in deliveries (`created_at`) and events (`id`); null before the first slice.
  deliveries_deleted_to timestamptz,
  events_deleted_to uuid,
  -- How far it has come in the tenant's keys (`id`): the largest UUID after the last one. No key is added meanwhile, see
  -- guard_new_api_key.
  api_keys_deleted_to uuid,
  -- Whole milliseconds, as the API shows them: a list continues after (created_at, id).
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  updated_at timestamptz not null default date_trunc('milliseconds', now())
);
create index tenants_created on tenants (created_at, id);
create index tenants_deleting on tenants (updated_at) where state = 'deleting';
create index tenants_deleted on tenants (created_at, id) where state = 'deleted';
grant select, insert, update on tenants to ariftly_app;

-- Those of `tenants` that are being deleted or were deleted, for a statement that inserts rows of tenants. The transaction has a
-- number before they are looked up, so a deletion that is not seen here waits for it. By primary key.
create function deleted_tenants(tenants text[]) returns text[]
language plpgsql volatile set search_path = pg_catalog, public, pg_temp as $$
begin
  perform pg_current_xact_id();
  return array(select t.id from public.tenants t where t.id = any (tenants) and t.state in ('deleting', 'deleted'));
end $$;
revoke execute on function deleted_tenants(text[]) from public;
grant execute on function deleted_tenants(text[]) to ariftly_app;

-- API keys --------------------------------------------------------------------------------------------------------------------

create table api_keys (
  id uuid primary key,
  tenant_id text not null check (tenant_id ~ '^[a-z0-9-]{1,64}$'),
  name text not null,
  scopes text[] not null check (cardinality(scopes) > 0
    and scopes <@ array['events:write', 'events:read', 'webhooks', 'admin', 'platform']),
  hash bytea not null unique check (octet_length(hash) = 32),
  -- The number of the secret whose hash is in the row; a rotation moves it.
  secret_number integer not null default 1,
  quota_events_per_s integer check (quota_events_per_s > 0),
  quota_bytes_per_s bigint check (quota_bytes_per_s > 0),
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  revoked_at timestamptz,
  -- A whole minute.
  last_used_at timestamptz
);
create index api_keys_tenant on api_keys (tenant_id, id) where revoked_at is null;
-- Keys with content, by tenant. A deletion takes the content away, so its slices do not read over their own rows again.
create index api_keys_named on api_keys (tenant_id, id) where name <> '';
create index api_keys_revoked on api_keys (revoked_at) where revoked_at is not null;
grant select, insert on api_keys to ariftly_app;
grant update (name, hash, secret_number, quota_events_per_s, quota_bytes_per_s, expires_at, last_used_at, revoked_at)
  on api_keys to ariftly_app;

-- Secrets that a rotation has replaced. They work until `valid_until`; the rows stay, so that none is ever taken again.
create table api_key_retired_secrets (
  hash bytea primary key check (octet_length(hash) = 32),
  api_key_id uuid not null references api_keys (id),
  secret_number integer not null,
  valid_until timestamptz not null,
  retired_at timestamptz not null default now(),
  unique (api_key_id, secret_number)
);
grant select, insert on api_key_retired_secrets to ariftly_app;

-- Hashes of the secrets of keys that were removed: none is ever taken again, and their tenants are known to have had a key.
create table removed_api_key_hashes (
  hash bytea primary key check (octet_length(hash) = 32),
  tenant_id text not null
);
create index removed_api_key_hashes_tenant on removed_api_key_hashes (tenant_id);
grant select on removed_api_key_hashes to ariftly_app;

-- The feed from which every process learns within a second that a key or a tenant changed. Append-only. A writer takes an
-- advisory transaction lock before the number is drawn, so numbers become visible in their order and a reader that has seen n
-- never misses one below it. A new key needs no entry: no process has cached it. An entry is of a key or of a whole tenant:
--   revoked            the key has stopped
--   updated            its quota or end changed; `ends_at` is the key's end (null: none)
--   rotated            secret `secret_number` stops at `ends_at`
--   tenant_updated     limits changed, or the tenant is active again
--   tenant_suspended   the tenant has stopped, but for keys with the scope `platform`
--   tenant_deleted     the tenant has stopped with all its keys
create table api_key_changes (
  seq bigint generated always as identity primary key,
  -- No reference: keys can be removed.
  api_key_id uuid,
  tenant_id text,
  kind text not null
    check (kind in ('revoked', 'updated', 'rotated', 'tenant_updated', 'tenant_suspended', 'tenant_deleted')),
  secret_number integer,
  ends_at timestamptz,
  changed_at timestamptz not null default now(),
  check ((api_key_id is null) = (kind like 'tenant\_%')),
  check ((tenant_id is null) = (api_key_id is not null))
);
grant select, insert on api_key_changes to ariftly_app;

-- One row: how far the feed was removed. A reader that has not come so far has missed changes.
create table api_key_feed (
  only_row boolean primary key default true check (only_row),
  removed_to bigint not null default 0
);
insert into api_key_feed default values;
grant select on api_key_feed to ariftly_app;

-- A key is made under the feed's lock, so whoever stops a tenant misses none that is made meanwhile. The insert adds no row for
-- a secret that was retired or whose key was removed, and for a key of a tenant that is being deleted or was deleted.
create function guard_new_api_key() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(5170233911);
  if exists (select from public.api_key_retired_secrets where hash = new.hash)
    or exists (select from public.removed_api_key_hashes where hash = new.hash)
    or exists (select from public.tenants where id = new.tenant_id and state in ('deleting', 'deleted')) then
    return null;
  end if;
  return new;
end $$;
revoke execute on function guard_new_api_key() from public;
create trigger api_keys_guard before insert on api_keys for each row execute function guard_new_api_key();

-- States of a tenant: active and suspended, either way; from both, or without a row, deleting; then deleted, the last one. A
-- deletion begins with its own marks at the start.
create function guard_tenant_state() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'UPDATE' and new.state = old.state then
    return new;
  end if;
  if tg_op = 'UPDATE' and (old.state = 'deleted' or (old.state = 'deleting' and new.state <> 'deleted')) then
    raise exception 'tenant % is %: it cannot become %', old.id, old.state, new.state;
  end if;
  if new.state = 'deleted' and exists (select from public.api_keys where tenant_id = new.id and revoked_at is null) then
    raise exception 'tenant % has keys that are not revoked', new.id;
  end if;
  if new.state = 'deleting' then
    new.refused_xid := null;
    new.deliveries_deleted_to := null;
    new.events_deleted_to := null;
    new.api_keys_deleted_to := null;
  end if;
  return new;
end $$;
revoke execute on function guard_tenant_state() from public;
create trigger tenants_guard before insert or update on tenants for each row execute function guard_tenant_state();

-- Removes entries of the feed that are older than a day, the oldest first, at most `rows_max`, and never the newest one: its
-- number tells a reader whether it has read all. Returns how many. By primary key.
create function delete_expired_api_key_changes(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := clock_timestamp() - interval '1 day';
  deleted integer;
  last bigint;
begin
  with gone as (
    delete from public.api_key_changes where seq = any (array(
      select seq from (select seq, changed_at from public.api_key_changes order by seq limit rows_max) oldest
       where changed_at < before and seq < (select max(seq) from public.api_key_changes)))
    returning seq)
  select count(*), max(seq) into deleted, last from gone;
  if deleted > 0 then
    update public.api_key_feed set removed_to = greatest(removed_to, last);
  end if;
  return deleted;
end $$;

-- Removes keys that were revoked 35 days ago, at most `rows_max`, and keeps the hashes of their secrets; returns how many. Under
-- the feed's lock, so that no key is made of such a hash meanwhile. By api_keys_revoked.
create function delete_revoked_api_keys(rows_max integer) returns integer
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

revoke execute on function delete_expired_api_key_changes(integer), delete_revoked_api_keys(integer) from public;
grant execute on function delete_expired_api_key_changes(integer), delete_revoked_api_keys(integer) to ariftly_app;

-- Audit and kept answers ------------------------------------------------------------------------------------------------------

-- Who changed what. An id carries its moment. The services' role may add entries and read them, nothing else.
create table audit_entries (
  id uuid primary key,
  key_id uuid not null,
  -- The target's.
  tenant_id text not null,
  action text not null,
  target text not null,
  request_id text not null,
  -- How many updates an entry stands for.
  count integer not null default 1,
  -- Array of the members that changed: {"member", "before", "after", "truncated"}, or {"member", "changed"} where the values are not
  -- kept. Of repeated updates `before` is the first one's and `after` the last one's.
  changes jsonb not null
);
create index audit_entries_tenant on audit_entries (tenant_id, id);
create index audit_entries_action on audit_entries (tenant_id, action, id);
grant select, insert on audit_entries to ariftly_app;

-- Counts an update in the newest entry of the last minute, by the same key of the same target, when both change the same members; false
-- when there is none. A change of a state always has an entry of its own. It can change nothing but the count and the values
-- after the change. By audit_entries_action.
create function count_repeated_update(tenant text, caller uuid, done text, changed text, changing jsonb) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if done not in ('api_key.update', 'webhook.update', 'tenant.put') or changing @> '[{"member": "/state"}]' then
    return false;
  end if;
  update public.audit_entries
     set count = count + 1,
         changes = (
           select coalesce(jsonb_agg(first.change || (last.change - 'before') order by place), '[]')
             from jsonb_array_elements(changes) with ordinality as first (change, place)
             join jsonb_array_elements(changing) with ordinality as last (change, place) using (place))
   where id = (
    select id from public.audit_entries
     where tenant_id = tenant and action = done and key_id = caller and target = changed
       and id >= public.uuid_v7_floor((extract(epoch from clock_timestamp()) * 1000)::bigint - 60000)
     order by id desc limit 1)
     and jsonb_path_query_array(changes, '$[*].member') = jsonb_path_query_array(changing, '$[*].member');
  return found;
end $$;

-- Removes entries that are older than 400 days, at most `rows_max`; returns how many.
create function delete_expired_audit_entries(rows_max integer) returns integer
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

revoke execute on function count_repeated_update(text, uuid, text, text, jsonb), delete_expired_audit_entries(integer) from public;
grant execute on function count_repeated_update(text, uuid, text, text, jsonb), delete_expired_audit_entries(integer) to ariftly_app;

-- Answers of administrative writes, kept for 24 hours. Written in the transaction of the effect. `answer` is sealed: it may
-- hold a secret.
create table idempotency_keys (
  api_key_id uuid not null references api_keys (id),
  key text not null check (length(key) between 1 and 255),
  method text not null,
  path text not null,
  -- SHA-256 of the body.
  body_hash bytea not null check (octet_length(body_hash) = 32),
  status smallint not null,
  answer bytea not null,
  created_at timestamptz not null default now(),
  primary key (api_key_id, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);
-- Update is for the row locks of the removal alone.
grant select, insert, update, delete on idempotency_keys to ariftly_app;

-- Webhooks --------------------------------------------------------------------------------------------------------------------

-- Webhooks, the state of their endpoints, deliveries and attempts: this is the system of record, Redis holds nothing of it.
create table webhooks (
  id uuid primary key,
  tenant_id text not null,
  url text not null,
  -- As given: exact types, groups (`task.*`) or `*`.
  events text[] not null check (cardinality(events) > 0),
  task_id text,
  session_id text,
  agent text,
  -- A filter over `data` and attributes, as given; null: none.
  filter json,
  description text,
  enabled boolean not null default true,
  disabled_reason text check (disabled_reason in ('manual', 'gone', 'failures')),
  -- Sealed (AES-256-GCM, key id inside) with aad `webhook:<tenant>:<whk id>`. While a rotation overlaps the old one is kept
  -- too.
  secret bytea not null,
  previous_secret bytea,
  previous_secret_until timestamptz,
  -- Names in the clear, the JSON object of names and values sealed.
  header_names text[] not null default '{}',
  headers bytea,
  rate_limit integer check (rate_limit between 1 and 1000),
  ordering text not null default 'none' check (ordering in ('none', 'task')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  -- The version of `webhooks_version` at which the row last changed in what matching reads.
  matching_version bigint not null default 0,
  -- Which endpoint an attempt was made to: moves with a new URL and with each enabling. A result counts towards the endpoint's
  -- failures, or disables the webhook, only while the version is the one that was tried.
  endpoint_version integer not null default 1,
  check (enabled = (disabled_reason is null)),
  check ((previous_secret is null) = (previous_secret_until is null)),
  check ((headers is null) = (cardinality(header_names) = 0))
);
create index webhooks_tenant on webhooks (tenant_id, id) where deleted_at is null;
create index webhooks_matching_version on webhooks (matching_version);
-- Deleted webhooks stay as long as deliveries refer to them: until the last partition in which they can have some is dropped, a
-- week after the retention of deliveries. Those that were deleted lately are looked for every second.
create index webhooks_deleted on webhooks (deleted_at) where deleted_at is not null;
-- The deletion of a tenant finds the next webhook with content by this index.
create index webhooks_with_content on webhooks (tenant_id, id) where url <> '';
grant select, insert, update on webhooks to ariftly_app;

-- One row. Every statement that changes what matching reads moves it, whoever runs it; the matcher reads it in its transaction.
create table webhooks_version (
  only_row boolean primary key default true check (only_row),
  version bigint not null
);
insert into webhooks_version (version) values (1);
grant select on webhooks_version to ariftly_app;

-- The row of webhooks_version stays locked until the transaction ends, so whoever reads version n sees every row up to n.
create function move_webhooks_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  update public.webhooks_version set version = version + 1 returning version into new.matching_version;
  return new;
end $$;
create trigger webhooks_inserted before insert on webhooks
  for each row execute function move_webhooks_version();

-- A webhook as matching reads it. Columns that matching does not read are left out by name, so that a new column counts unless it
-- is named here. A filter may hold strings that json has and jsonb does not (\u0000, half a surrogate pair): it is compared as text.
create function webhook_as_matched(webhook webhooks) returns jsonb
language plpgsql immutable parallel safe set search_path = pg_catalog, public, pg_temp as $$
declare
  filter_text text := webhook.filter::text;
begin
  webhook.filter := null;
  return (to_jsonb(webhook) || jsonb_build_object('filter', filter_text))
    - '{url,description,secret,previous_secret,previous_secret_until,header_names,headers,rate_limit,ordering,disabled_reason,updated_at,endpoint_version,matching_version}'::text[];
end $$;
create trigger webhooks_changed before update on webhooks
  for each row when (webhook_as_matched(old) is distinct from webhook_as_matched(new))
  execute function move_webhooks_version();

-- What the worker knows of an endpoint, one row a webhook. The feeder locks it while it feeds.
create table webhook_endpoints (
  webhook_id uuid primary key references webhooks (id),
  tenant_id text not null,
  consecutive_failures integer not null default 0,
  -- The first failure since the last success; null when the last attempt succeeded.
  failing_since timestamptz,
  last_success_at timestamptz,
  last_attempt_ms integer,
  -- Set while the endpoint is failing (10 failures in a row): one probe at a time.
  next_probe_at timestamptz,
  probe_delay_ms integer,
  -- Tokens of rate_limit.
  rate_tokens double precision,
  rate_refilled_at timestamptz,
  -- A copy of the webhook's beside the state that it guards, so that one row lock covers both.
  endpoint_version integer not null default 1
) with (fillfactor = 50);
grant select, insert, update on webhook_endpoints to ariftly_app;

-- Each webhook has its endpoint's row from the start, whoever inserts it.
create function open_webhook_endpoint() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  insert into public.webhook_endpoints (webhook_id, tenant_id) values (new.id, new.tenant_id) on conflict do nothing;
  return null;
end $$;
create trigger webhooks_open_endpoint after insert on webhooks
  for each row execute function open_webhook_endpoint();

create function move_endpoint_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  new.endpoint_version := old.endpoint_version + 1;
  return new;
end $$;
create trigger webhooks_move_endpoint_version before update on webhooks
  for each row when (new.url is distinct from old.url or (new.enabled and not old.enabled))
  execute function move_endpoint_version();

-- When a failing endpoint whose next probe is at `next_at` is probed if that is to be soon: 10 s after the last probe at the earliest, which
-- ended `delay_ms` before. A time within the next 10 s is left as it is: it may have been moved already. So is one further away than its wait,
-- which is due: it was planned before the clock was set back.
create function soonest_probe(next_at timestamptz, delay_ms integer) returns timestamptz
language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
return case when next_at > now() + interval '10 s' and next_at <= now() + delay_ms * interval '1 ms'
  then greatest(now(), next_at - delay_ms * interval '1 ms' + interval '10 s') else next_at end;

-- Makes all that a webhook has pending due, in slices that the webhook worker makes, and the next probe of a failing endpoint. Returns whether
-- the endpoint is failing. It writes a row or two, however much is pending, and waits for the slice that is under way at most. Locks are
-- taken in this order: webhook, endpoint, redelivery; slices wait for neither of the first two, nor for a delivery.
create function drain_webhook(drained uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  now_ms bigint := extract(epoch from clock_timestamp()) * 1000;
begin
  update public.webhook_endpoints set next_probe_at = public.soonest_probe(next_probe_at, probe_delay_ms)
    where webhook_id = drained and public.soonest_probe(next_probe_at, probe_delay_ms) < next_probe_at;
  insert into public.redeliveries (id, tenant_id, filter, dry_run, drained_webhook_id)
    select (left(public.uuid_v7_floor(now_ms)::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid, tenant_id,
           '{"status":"pending"}', false, id
      from public.webhooks
     where id = drained and deleted_at is null
       and exists (select from public.deliveries
                    where webhook_id = drained and state = 'pending' and due_at > now() order by due_at limit 1)
    on conflict (drained_webhook_id) where drained_webhook_id is not null do update
      set state = 'running', cursor_id = null, scanned_count = 0, delivery_count = 0, failed_slices = 0, created_at = now(),
          due_at = now(), finished_at = null;
  return exists (select from public.webhook_endpoints where webhook_id = drained and next_probe_at is not null);
end $$;

-- A new URL, and a webhook that is enabled again: failures belong to what was tried before, and what waits because of them is due. An endpoint
-- that was failing is probed soon, and opens with the first success; until then it stays where it delays no other endpoint.
create function follow_endpoint_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  update public.webhook_endpoints set endpoint_version = new.endpoint_version, failing_since = null,
    consecutive_failures = case when next_probe_at is null then 0 else consecutive_failures end where webhook_id = new.id;
  perform public.drain_webhook(new.id);
  return null;
end $$;

create trigger webhooks_follow_endpoint_version after update on webhooks
  for each row when (new.endpoint_version is distinct from old.endpoint_version)
  execute function follow_endpoint_version();

-- The first success of a failing endpoint sends all that is pending.
create function drain_opened_endpoint() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform public.drain_webhook(new.webhook_id);
  return null;
end $$;
create trigger webhook_endpoints_drain_opened after update of next_probe_at on webhook_endpoints
  for each row when (old.next_probe_at is not null and new.next_probe_at is null)
  execute function drain_opened_endpoint();

-- Removes webhooks whose last deliveries are gone, at most `rows_max`; returns how many. By webhooks_deleted.
create function delete_expired_webhooks(rows_max integer) returns integer
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

revoke execute on function move_webhooks_version(), open_webhook_endpoint(), move_endpoint_version(),
  follow_endpoint_version(), drain_webhook(uuid), drain_opened_endpoint(), delete_expired_webhooks(integer) from public;
grant execute on function drain_webhook(uuid), soonest_probe(timestamptz, integer), delete_expired_webhooks(integer)
  to ariftly_app;

-- Deliveries ------------------------------------------------------------------------------------------------------------------

-- One row per (webhook, event). The id is derived: its millisecond is the event's appended_at, its other bits are from
-- SHA-256 of webhook id and event id, so the primary key is the uniqueness.
create table deliveries (
  id uuid primary key,
  tenant_id text not null,
  webhook_id uuid not null,
  event_id uuid not null,
  event_type text not null,
  -- The task, or the session of an event without one: the unit of `ordering: task`.
  ordering_key text,
  -- Position of the event in the log.
  epoch integer not null,
  partition integer not null,
  "offset" bigint not null,
  state text not null default 'pending' check (state in ('pending', 'queued', 'delivered', 'failed', 'cancelled')),
  -- Number of the attempt that is due, queued or under way; a job of another number is dropped.
  attempt integer not null default 1,
  -- Which attempt has begun: a start changes no column that an index reads, so that none of the indexes is written (a heap-only
  -- update). 0, or an earlier attempt than `attempt`: the one that is queued has not begun. Each statement that makes a delivery
  -- pending again moves `attempt` on, so none has to reset this.
  started_attempt integer not null default 0,
  -- Attempts that count towards the schedule (probes do not).
  attempt_count integer not null default 0,
  -- Attempts before the newest redelivery or replay; `attempt_count` counts those since, by which the schedule goes.
  earlier_attempts integer not null default 0,
  -- The attempt that is queued or under way is a probe of a failing endpoint: it counts towards no schedule.
  probe boolean not null default false,
  -- Sent again by a redelivery or a replay: counted in no statistics from then on.
  redelivered boolean not null default false,
  -- Which replay made it pending, so that its cancellation finds what still waits.
  replay_id uuid,
  -- W3C trace context of the record.
  traceparent text,
  due_at timestamptz,
  lease_until timestamptz,
  -- The worker that makes the attempt; meaningless before the attempt has begun.
  worker_id uuid,
  last_attempt_at timestamptz,
  last_response_status integer,
  -- Null before the first attempt and after a success.
  last_error_class text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  check ((state = 'pending') = (due_at is not null)),
  check ((state = 'queued') = (lease_until is not null)),
  check ((state in ('delivered', 'failed', 'cancelled')) = (finished_at is not null))
) partition by range (id);
create index deliveries_due on deliveries (webhook_id, due_at) where state = 'pending';
create index deliveries_leased on deliveries (tenant_id, webhook_id) where state = 'queued';
create index deliveries_ordering on deliveries (webhook_id, ordering_key, epoch, partition, "offset")
  where state in ('pending', 'queued');
-- A list of webhooks counts unfinished deliveries up to a bound, oldest event first.
create index deliveries_unfinished on deliveries (webhook_id, id) where state in ('pending', 'queued');
-- What a replay has made pending is cancelled with it, beside any backlog of its webhook. The order is in the statement too, so
-- that no other index serves it.
create index deliveries_replay on deliveries (replay_id, "offset")
  where replay_id is not null and state in ('pending', 'queued');
-- Lists, newest first by creation. A collation that is named in the index and in the statement makes the choice of the index a
-- matter of the statement, not of statistics.
create index deliveries_tenant_created on deliveries (tenant_id, created_at, id);
-- Failed deliveries of a tenant, and those of a webhook ("POSIX"), so that none is found by reading the others.
create index deliveries_tenant_failed on deliveries (tenant_id collate "ucs_basic", created_at, id) where state = 'failed';
create index deliveries_webhook_created on deliveries (tenant_id collate "C", webhook_id, created_at, id);
create index deliveries_webhook_failed on deliveries (tenant_id collate "POSIX", webhook_id, created_at, id)
  where state = 'failed';
create index deliveries_task on deliveries (tenant_id collate "C", ordering_key, created_at, id);
create index deliveries_event on deliveries (event_id);
grant select, insert, update on deliveries to ariftly_app;

-- Every attempt, in the partition of its delivery.
create table attempts (
  delivery_id uuid not null,
  attempt integer not null,
  tenant_id text not null,
  webhook_id uuid not null,
  probe boolean not null default false,
  started_at timestamptz not null,
  dns_ms integer,
  connect_ms integer,
  tls_ms integer,
  first_byte_ms integer,
  total_ms integer not null,
  address text,
  status integer,
  -- http_4xx, http_5xx, http_3xx, timeout, tls_error, connection_refused, connection_reset, dns_error, blocked; null: success.
  error_class text,
  error_detail text,
  response_headers json,
  response_body bytea,
  next_attempt_at timestamptz,
  primary key (delivery_id, attempt)
) partition by range (delivery_id);
grant select, insert on attempts to ariftly_app;

-- What receivers answered to the last successful attempts of each webhook. `attempts` keeps headers and body of failures alone:
-- an answer to each success would let one tenant fill the database.
create table success_answers (
  webhook_id uuid not null,
  delivery_id uuid not null,
  attempt integer not null,
  kept_at timestamptz not null default clock_timestamp(),
  response_headers json,
  response_body bytea,
  primary key (webhook_id, delivery_id, attempt)
);
grant select, insert, update, delete on success_answers to ariftly_app;

-- A delivery's id carries the append time of its event, which is projected before it is matched.
create function ensure_delivery_partitions(min_ms bigint, max_ms bigint) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  now_ms bigint := extract(epoch from greatest(clock_timestamp(), public.newest_append_time())) * 1000;
  lowest bigint := greatest(min_ms, public.deliveries_kept_from_ms());
  highest bigint := least(max_ms, now_ms + public.days_ms(21));
begin
  return public.create_weekly_partitions('deliveries', lowest, highest)
    + public.create_weekly_partitions('attempts', lowest, highest);
end $$;

-- Drops the partitions of deliveries and attempts that ended before the retention. Returns their names, and how many deliveries
-- were not finished then.
create function drop_expired_delivery_partitions(out dropped text[], out expired bigint)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before_ms bigint := public.deliveries_kept_from_ms();
begin
  -- Whole weeks alone are dropped: what is counted is below the start of the week that holds before_ms.
  select count(*) into expired from public.deliveries
    where id < public.uuid_v7_floor(public.week_start_ms(before_ms)) and state in ('pending', 'queued');
  dropped := public.drop_weekly_partitions('attempts', before_ms)
    || public.drop_weekly_partitions('deliveries', before_ms);
end $$;

revoke execute on function ensure_delivery_partitions(bigint, bigint), drop_expired_delivery_partitions() from public;
grant execute on function ensure_delivery_partitions(bigint, bigint), drop_expired_delivery_partitions() to ariftly_app;

-- Replays and redeliveries ----------------------------------------------------------------------------------------------------

-- Replays: past events that a webhook is to get again. Each is a cursor over the log as `events` holds it, advanced slice by
-- slice in the transaction that writes the slice's deliveries.
create table webhook_replays (
  id uuid primary key,
  tenant_id text not null,
  webhook_id uuid not null references webhooks (id),
  -- Log time, both exclusive.
  after_at timestamptz not null,
  before_at timestamptz not null,
  -- The stream position at which it begins, as given; null: it begins at after_at.
  from_position text,
  -- What the position says: of each partition of this epoch the first offset that is replayed. Null with a lost position, which
  -- begins at after_at.
  from_epoch integer,
  from_offsets bigint[],
  -- The position was of another epoch, or from before what a replay reaches.
  truncated boolean not null default false,
  -- Null: all that the webhook takes.
  types text[] check (cardinality(types) > 0),
  -- Only events whose delivery has this state; null: missing ones and all that are finished.
  delivery_status text check (delivery_status in ('delivered', 'failed', 'cancelled')),
  -- Counts and changes nothing.
  dry_run boolean not null,
  state text not null default 'running' check (state in ('running', 'completed', 'cancelled')),
  -- The next place to look at; null before the first slice.
  epoch integer,
  partition integer,
  next_offset bigint,
  scanned_count bigint not null default 0,
  -- Deliveries that were made pending (or, on a dry run, would be).
  delivery_count bigint not null default 0,
  created_at timestamptz not null default now(),
  -- The last slice; whose turn was longest ago is next.
  updated_at timestamptz not null default now(),
  finished_at timestamptz,
  check ((state = 'running') = (finished_at is null)),
  check ((from_epoch is null) = (from_offsets is null))
);
-- One real replay and one dry run of a webhook at a time.
create unique index webhook_replays_running on webhook_replays (webhook_id, dry_run) where state = 'running';
-- Replays of a webhook, newest first.
create index webhook_replays_webhook on webhook_replays (webhook_id, id);
grant select, insert, update on webhook_replays to ariftly_app;

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
  -- Of one that a change of a webhook has asked for, and no caller: the webhook whose pending deliveries become due. Each webhook
  -- has one at most, which begins again.
  drained_webhook_id uuid,
  check ((state = 'running') = (finished_at is null))
);
create unique index redeliveries_drains on redeliveries (drained_webhook_id) where drained_webhook_id is not null;
-- Callers see their own alone: of these one runs at a time.
create unique index redeliveries_running on redeliveries (tenant_id)
  where state = 'running' and not dry_run and drained_webhook_id is null;
create index redeliveries_due on redeliveries (due_at) where state = 'running';
-- When a tenant's redeliveries had their last turn.
create index redeliveries_turns on redeliveries (tenant_id, updated_at);
-- Redeliveries of a tenant, newest first.
create index redeliveries_listed on redeliveries (tenant_id, id) where drained_webhook_id is null;
grant select, insert, update on redeliveries to ariftly_app;

-- Replays and redeliveries go like deliveries: so long after their end. The services' role may not delete what is younger. Both
-- by primary key, from the oldest on: an id carries the time at which it was made, which is before its end.
create function delete_expired_replays(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := public.history_now() - (select make_interval(days => deliveries_days) from public.retention);
  deleted integer;
begin
  delete from public.webhook_replays where id = any (array(
    select id from public.webhook_replays
    where id < public.uuid_v7_floor((extract(epoch from before) * 1000)::bigint) and finished_at < before
    order by id limit rows_max for update skip locked));
  get diagnostics deleted = row_count;
  return deleted;
end $$;

create function delete_expired_redeliveries(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := public.history_now() - (select make_interval(days => deliveries_days) from public.retention);
  deleted integer;
begin
  delete from public.redeliveries where id = any (array(
    select id from public.redeliveries
    where id < public.uuid_v7_floor((extract(epoch from before) * 1000)::bigint) and finished_at < before
    order by id limit rows_max for update skip locked));
  get diagnostics deleted = row_count;
  return deleted;
end $$;

revoke execute on function delete_expired_replays(integer), delete_expired_redeliveries(integer) from public;
grant execute on function delete_expired_replays(integer), delete_expired_redeliveries(integer) to ariftly_app;

-- Matching and queueing -------------------------------------------------------------------------------------------------------

-- Records of a tenant that the matcher has passed by, [next_offset, end_offset) of one part of the log: its events there are
-- matched in turns, the lowest part of a partition first. A row a part, so that the matcher never waits for whoever works on
-- an earlier one.
create table match_backlogs (
  epoch integer not null references log_epochs (epoch),
  partition integer not null,
  tenant_id text not null,
  first_offset bigint not null,
  next_offset bigint not null,
  end_offset bigint not null check (end_offset > next_offset),
  -- The last turn; whose turn was longest ago is next.
  updated_at timestamptz not null default now(),
  primary key (epoch, partition, tenant_id, first_offset)
) with (fillfactor = 50);
grant select, insert, update, delete on match_backlogs to ariftly_app;

-- A row a running worker. An attempt is its worker's as long as the worker's heart beats; `lease_until` stays behind it, for what
-- it does not show.
create table webhook_workers (
  id uuid primary key,
  beat_at timestamptz not null default now()
) with (fillfactor = 50);
grant select, insert, update, delete on webhook_workers to ariftly_app;

-- One row: the Redis that holds the jobs of the queued deliveries, by a marker that is lost with its data and by its run id,
-- which is another one after a restart or a failover. Queued deliveries return to pending when Redis has lost its jobs.
create table webhook_queue (
  only_row boolean primary key default true check (only_row),
  marker text,
  run_id text
);
insert into webhook_queue default values;
grant select, update on webhook_queue to ariftly_app;

-- Statistics ------------------------------------------------------------------------------------------------------------------

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

-- The last batch of statistics that each worker process has added. Each is written with its batch, so that one that is sent again is added once.
create table webhook_stats_writers (
  worker_id uuid primary key,
  batch bigint not null,
  written_at timestamptz not null default now()
) with (fillfactor = 50);
grant select, insert, update, delete on webhook_stats_writers to ariftly_app;

-- Sums arrays of counts by place; the shorter one ends with zeros.
create function add_counts(a integer[], b integer[]) returns integer[]
language sql immutable parallel safe set search_path = pg_catalog, public, pg_temp as $$
  select coalesce(array_agg(coalesce(x, 0) + coalesce(y, 0) order by n), '{}')
    from unnest(a, b) with ordinality as counts (x, y, n)
$$;
grant execute on function add_counts(integer[], integer[]) to ariftly_app;

-- Processes -------------------------------------------------------------------------------------------------------------------

-- One row for each process at work, renewed every few seconds. A row that is not renewed is of a process that has gone.
-- Losing the table costs one renewal.
create unlogged table service_replicas (
  service text not null,
  replica uuid not null,
  seen_at timestamptz not null default now(),
  primary key (service, replica)
);
grant select, insert, update, delete on service_replicas to ariftly_app;

-- Open streams of tenants that have a limit, by gateway process; a row counts as long as its process is at work.
create unlogged table open_stream_counts (
  replica uuid not null,
  tenant_id text not null,
  streams integer not null check (streams > 0),
  primary key (replica, tenant_id)
);
grant select, insert, update, delete on open_stream_counts to ariftly_app;

-- Deletion of a tenant --------------------------------------------------------------------------------------------------------

-- Removes about `rows_max` rows of a tenant whose deletion is under way; answers how many, 0 when none is left. Each call
-- continues where the last one ended, or, with `from_start`, begins at the first row: rows may have been added behind it. Of API
-- keys and webhooks a row without content stays: no secret is ever taken again, and every matcher learns that the webhook has
-- gone. Webhooks are marked as deleted first: nothing is made for them from then on. Each of these updates makes a version of the
-- one row of webhooks_version, and reads all that the transaction has made, so there are few in a call. Webhooks by
-- webhooks_tenant and webhooks_with_content, events by primary key, deliveries by deliveries_tenant_created, API keys by
-- api_keys_named, the rest by webhook or from small tables.
create or replace function delete_tenant_rows(tenant text, rows_max integer, from_start boolean) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $$
declare
  deliveries_after timestamptz;
  events_after uuid;
  ids uuid[];
  last_at timestamptz;
  removed bigint := 0;
  part bigint;
begin
  select case when from_start then '-infinity' else coalesce(deliveries_deleted_to, '-infinity') end,
         case when from_start then '00000000-0000-0000-0000-000000000000'
              else coalesce(events_deleted_to, '00000000-0000-0000-0000-000000000000') end
    into deliveries_after, events_after
    from public.tenants where id = tenant and state = 'deleting';
  if not found then
    return 0;
  end if;

  -- Whoever holds a webhook may wait for the row of webhooks_version, so those are left for a later call.
  ids := array(select id from public.webhooks where tenant_id = tenant and deleted_at is null
    order by tenant_id, id limit 500 for update skip locked);
  if cardinality(ids) > 0 then
    update public.webhooks set deleted_at = now(), updated_at = now() where id = any (ids);
    get diagnostics removed = row_count;
    return removed;
  end if;

  -- A delivery goes with its attempts, of which it has several. Many have the same `created_at`.
  select array_agg(id), max(created_at) into ids, last_at
    from (select id, created_at from public.deliveries where tenant_id = tenant and created_at >= deliveries_after
           order by tenant_id, created_at, id limit greatest(rows_max / 5, 1)) found_rows;
  if ids is not null then
    -- Deliveries first: this waits for who has changed one and is adding its attempt, and the next statement sees that attempt.
    delete from public.deliveries where id = any (ids);
    get diagnostics removed = row_count;
    delete from public.attempts where delivery_id = any (ids);
    get diagnostics part = row_count;
    if not from_start then
      update public.tenants set deliveries_deleted_to = last_at where id = tenant;
    end if;
    return removed + part;
  end if;

  ids := array(select id from public.events where tenant_id = tenant and id >= events_after order by id limit rows_max);
  if cardinality(ids) > 0 then
    delete from public.events where tenant_id = tenant and id = any (ids);
    get diagnostics removed = row_count;
    if not from_start then
      update public.tenants set events_deleted_to = ids[cardinality(ids)] where id = tenant;
    end if;
    return removed;
  end if;

  ids := array(select id from public.webhooks where tenant_id = tenant and url <> '' order by tenant_id, id limit 1);
  update public.webhooks set url = '', events = '{*}', task_id = null, session_id = null, agent = null, description = null,
    filter = null, secret = '', previous_secret = null, previous_secret_until = null, header_names = '{}', headers = null,
    deleted_at = coalesce(deleted_at, now()) where id = any (ids);
  get diagnostics removed = row_count;
  -- Rows that a writer added to a webhook after its own turn.
  if from_start and removed = 0 then
    ids := array(select id from public.webhooks where tenant_id = tenant);
  end if;
  if cardinality(ids) > 0 then
    delete from public.success_answers where webhook_id = any (ids);
    get diagnostics part = row_count;
    removed := removed + part;
    delete from public.webhook_stats where webhook_id = any (ids);
    get diagnostics part = row_count;
    removed := removed + part;
    delete from public.webhook_replays where webhook_id = any (ids);
    get diagnostics part = row_count;
    removed := removed + part;
    delete from public.webhook_endpoints where webhook_id = any (ids);
    get diagnostics part = row_count;
    removed := removed + part;
  end if;
  if removed > 0 then
    return removed;
  end if;

  ids := array(select id from public.redeliveries where tenant_id = tenant limit rows_max);
  delete from public.redeliveries where id = any (ids);
  get diagnostics removed = row_count;
  delete from public.match_backlogs where tenant_id = tenant;
  get diagnostics part = row_count;
  removed := removed + part;
  if from_start then
    delete from public.idempotency_keys where api_key_id in (select id from public.api_keys where tenant_id = tenant);
    get diagnostics part = row_count;
    removed := removed + part;
  end if;

  ids := array(select id from public.api_keys where tenant_id = tenant and name <> '' order by id limit rows_max);
  update public.api_keys set name = '', last_used_at = null where id = any (ids);
  get diagnostics part = row_count;
  return removed + part;
end $$;
revoke execute on function delete_tenant_rows(text, integer, boolean) from public;
grant execute on function delete_tenant_rows(text, integer, boolean) to ariftly_app;
