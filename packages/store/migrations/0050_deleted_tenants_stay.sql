-- A deleted tenant stays deleted: its id is never given again. So readers of the log leave out a tenant's records by its
-- state, and need no recorded ends of the log.

-- Locks out `PUT /v1/tenants/{id}` of the previous release until the trigger below is there. Readers do not wait.
lock table tenants in share row exclusive mode;

alter table tenants
  -- The number that a deletion compares, taken after its state was committed: transactions from before may not know of it.
  add column refused_xid xid8,
  -- How far the deletion has come in deliveries (`created_at`) and events (`id`); null before the first slice.
  add column deliveries_deleted_to timestamptz,
  add column events_deleted_to uuid;
create index tenants_deleted on tenants (created_at, id) where state = 'deleted';
-- Keys with content, by tenant. A deletion takes the content away, so its slices do not read over their own rows again.
create index api_keys_named on api_keys (tenant_id, id) where name <> '';

-- In the previous release a new key was enough to use the id of a deleted tenant again. Such a tenant is a live one.
update tenants t set state = 'active', updated_at = now()
  where state = 'deleted' and exists (
    select from api_keys k where k.tenant_id = t.id and (k.revoked_at is null or k.revoked_at > t.deleted_at));
-- Records that a deletion of the previous release did not see may have become rows since: what is deleted is deleted once more.
update tenants set state = 'deleting', refused_at = now(), log_ends_read = 0, log_ends_xid = null, updated_at = now()
  where state = 'deleted';

-- Projectors, `rebuild` and `verify` of the previous release leave out records below these ends, all of a deleted tenant's: 2^53 - 1 is the largest offset that they read.
-- For as long as they may run beside this release; nothing of this release reads the table, but the check of `migrate`.
create function refuse_tenant_records(tenant text) returns void
language sql security definer set search_path = pg_catalog, public, pg_temp as $$
  insert into public.tenant_log_ends (tenant_id, epoch, partition, end_offset)
  select distinct tenant, epoch, partition, 9007199254740991 from public.projection_offsets where projection = 'events'
  on conflict (tenant_id, epoch, partition) do update set end_offset = excluded.end_offset
$$;
revoke execute on function refuse_tenant_records(text) from public;
select refuse_tenant_records(id) from tenants where state in ('deleting', 'deleted');

-- States of a tenant: active and suspended, either way; from both, or without a row, deleting; then deleted, the last one. It
-- holds for processes of the previous release too, which would put a deleted tenant again.
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
    perform public.refuse_tenant_records(new.id);
    new.log_ends_read := 0;
    new.log_ends_xid := null;
    new.refused_xid := null;
    new.deliveries_deleted_to := null;
    new.events_deleted_to := null;
  end if;
  return new;
end $$;
revoke execute on function guard_tenant_state() from public;
create trigger tenants_guard before insert or update on tenants for each row execute function guard_tenant_state();

-- As before, and also refuses keys of a tenant that was deleted.
create or replace function guard_new_api_key() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(5170233911);
  if exists (select from public.api_key_retired_secrets where hash = new.hash)
    or exists (select from public.tenants where id = new.tenant_id and state in ('deleting', 'deleted')) then
    return null;
  end if;
  return new;
end $$;

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

-- Removes about `rows_max` rows of a tenant whose deletion is under way; answers how many, 0 when none is left. Each call
-- goes on where the last one ended, or, with `from_start`, begins at the first row: rows may have been added behind it. Of API
-- keys and webhooks a row without content stays: no secret is ever taken again, and every matcher learns that the webhook has
-- gone. Events by primary key, deliveries by deliveries_tenant_created, API keys by api_keys_named, the rest by webhook or from
-- small tables.
create function delete_tenant_rows(tenant text, rows_max integer, from_start boolean) returns bigint
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

  -- A delivery goes with its attempts, of which it has several. Many have the same `created_at`.
  select array_agg(id), max(created_at) into ids, last_at
    from (select id, created_at from public.deliveries where tenant_id = tenant and created_at >= deliveries_after
           order by tenant_id, created_at, id limit greatest(rows_max / 5, 1)) found_rows;
  if ids is not null then
    delete from public.attempts where delivery_id = any (ids);
    get diagnostics part = row_count;
    delete from public.deliveries where id = any (ids);
    get diagnostics removed = row_count;
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

  ids := array(select id from public.webhooks where tenant_id = tenant and url <> '' order by id limit 1);
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
