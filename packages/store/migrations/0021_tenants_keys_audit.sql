-- Tenants with a state and limits; API keys that can be changed and rotated; the audit log.

-- One row for each tenant that an operator has put. A tenant without a row is active and has the default limits.
-- `deleted` is the tombstone of a finished deletion: the tenant is gone until it is put again.
create table tenants (
  id text primary key check (id ~ '^[a-z0-9-]{1,64}$'),
  state text not null check (state in ('active', 'suspended', 'deleting', 'deleted')),
  -- Null is the default.
  events_per_s integer check (events_per_s between 1 and 1000000),
  streams integer check (streams between 1 and 1000000),
  webhooks integer check (webhooks between 1 and 1000000),
  -- Rows that the deletion has removed so far.
  deleted_count bigint not null default 0,
  -- When the deletion began, and when it ended.
  refused_at timestamptz,
  deleted_at timestamptz,
  -- Whole milliseconds, as the API shows them: a list goes on behind (created_at, id).
  created_at timestamptz not null default date_trunc('milliseconds', now()),
  updated_at timestamptz not null default date_trunc('milliseconds', now())
);
create index tenants_created on tenants (created_at, id);
grant select, insert, update on tenants to ariftly_app;

-- The number of the secret whose hash stands in the row; a rotation moves it. `last_used_at` is a whole minute.
alter table api_keys add column secret_number integer not null default 1;
alter table api_keys add column last_used_at timestamptz;
grant update (name, hash, secret_number, quota_events_per_s, quota_bytes_per_s, expires_at, last_used_at)
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

-- The feed tells more than revocations. Code that knows only `revoked` takes every entry for one: it forgets the key,
-- ends its streams, and looks the key up again.
--   revoked    the key has stopped
--   suspended  its tenant has stopped; the key works again after a later `updated`
--   updated    quota, end or limits of the tenant changed; `ends_at` is the key's end now (null: none)
--   rotated    secret `secret_number` stops at `ends_at`
alter table api_key_changes drop constraint api_key_changes_kind_check;
alter table api_key_changes add constraint api_key_changes_kind_check
  check (kind in ('revoked', 'suspended', 'updated', 'rotated'));
alter table api_key_changes add column secret_number integer;
alter table api_key_changes add column ends_at timestamptz;

-- A key is made under the feed's lock: whoever stops a tenant writes one entry for each of its keys, and misses none that is
-- made meanwhile. A secret that was retired (a bootstrap key that was rotated), or a key of a tenant that is being
-- deleted, is left out: the insert adds no row.
create function guard_new_api_key() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(5170233911);
  if exists (select from public.api_key_retired_secrets where hash = new.hash)
    or exists (select from public.tenants where id = new.tenant_id and state = 'deleting') then
    return null;
  end if;
  return new;
end $$;
revoke execute on function guard_new_api_key() from public;
create trigger api_keys_guard before insert on api_keys for each row execute function guard_new_api_key();

-- Who changed what. An id carries its moment. The services' role may add entries and read them, nothing else.
create table audit_entries (
  id uuid primary key,
  key_id uuid not null,
  -- The target's.
  tenant_id text not null,
  action text not null,
  target text not null,
  request_id text not null
);
create index audit_entries_tenant on audit_entries (tenant_id, id);
create index audit_entries_action on audit_entries (tenant_id, action, id);
grant select, insert on audit_entries to ariftly_app;

-- Removes entries that are older than 400 days, at most `rows_max`; answers how many it removed.
create function delete_expired_audit_entries(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before_ms bigint := extract(epoch from clock_timestamp() - interval '400 days') * 1000;
  deleted integer;
begin
  delete from public.audit_entries where id = any (array(
    select id from public.audit_entries where id < public.uuid_v7_floor(before_ms)
    order by id limit rows_max for update skip locked));
  get diagnostics deleted = row_count;
  return deleted;
end $$;
revoke execute on function delete_expired_audit_entries(integer) from public;
grant execute on function delete_expired_audit_entries(integer) to ariftly_app;
