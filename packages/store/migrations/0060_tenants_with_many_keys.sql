-- A tenant may have a limit of keys, is one entry of the feed however many it has, and what is over is removed.

-- Null is the default.
alter table tenants add column api_keys integer check (api_keys between 1 and 1000000);

-- Entries of a tenant stand for all its keys. Their `api_key_id` is the nil UUID: processes of the previous release read an entry
-- without a key as none, and would not get past it. Keys can be removed, so entries do not reference them.
--   tenant_updated     limits changed, or it is active again
--   tenant_suspended   it has stopped, but for keys with the scope `platform`
--   tenant_deleted     it has stopped with all its keys
alter table api_key_changes drop constraint api_key_changes_api_key_id_fkey;
alter table api_key_changes drop constraint api_key_changes_kind_check;
alter table api_key_changes add constraint api_key_changes_kind_check check (kind in
  ('revoked', 'suspended', 'updated', 'rotated', 'tenant_updated', 'tenant_suspended', 'tenant_deleted')) not valid;
alter table api_key_changes add column tenant_id text;

-- How far the feed was removed: a reader that has not come so far has missed changes.
create table api_key_feed (
  only_row boolean primary key default true check (only_row),
  removed_to bigint not null default 0
);
insert into api_key_feed default values;
grant select on api_key_feed to ariftly_app;

-- Removes entries of the feed that are older than a day, the oldest first, at most `rows_max`, and never the newest one: its
-- number tells a reader whether it has read all. Answers how many. By primary key.
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
revoke execute on function delete_expired_api_key_changes(integer) from public;
grant execute on function delete_expired_api_key_changes(integer) to ariftly_app;

-- Hashes of the secrets of keys that were removed: none is ever taken again, and their tenants are known to have had a key.
create table removed_api_key_hashes (
  hash bytea primary key check (octet_length(hash) = 32),
  tenant_id text not null
);
create index removed_api_key_hashes_tenant on removed_api_key_hashes (tenant_id);
grant select on removed_api_key_hashes to ariftly_app;
create index api_keys_revoked on api_keys (revoked_at) where revoked_at is not null;

-- After api_keys_guard, which takes the feed's lock. The insert adds no row.
create function guard_removed_api_key() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if exists (select from public.removed_api_key_hashes where hash = new.hash) then
    return null;
  end if;
  return new;
end $$;
revoke execute on function guard_removed_api_key() from public;
create trigger api_keys_guard_removed before insert on api_keys for each row execute function guard_removed_api_key();

-- Removes keys that were revoked 35 days ago, at most `rows_max`, and keeps the hashes of their secrets; answers how many. Under the
-- feed's lock, so that no key is made of such a hash meanwhile. By api_keys_revoked.
create function delete_revoked_api_keys(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  ids uuid[];
  deleted integer;
begin
  perform pg_advisory_xact_lock(5170233911);
  ids := array(select id from public.api_keys where revoked_at < clock_timestamp() - interval '35 days'
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
revoke execute on function delete_revoked_api_keys(integer) from public;
grant execute on function delete_revoked_api_keys(integer) to ariftly_app;

-- How many updates an entry stands for.
alter table audit_entries add column count integer not null default 1;

-- Counts an update in the entry of the first one of the last minute, by the same key of the same target; false when there is none. It
-- can change nothing but the count. By audit_entries_action.
create function count_repeated_update(tenant text, caller uuid, done text, changed text) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if done not in ('api_key.update', 'webhook.update', 'tenant.put') then
    return false;
  end if;
  update public.audit_entries set count = count + 1 where id = (
    select id from public.audit_entries
     where tenant_id = tenant and action = done and key_id = caller and target = changed
       and id >= public.uuid_v7_floor((extract(epoch from clock_timestamp()) * 1000)::bigint - 60000)
     order by id desc limit 1);
  return found;
end $$;
revoke execute on function count_repeated_update(text, uuid, text, text) from public;
grant execute on function count_repeated_update(text, uuid, text, text) to ariftly_app;
