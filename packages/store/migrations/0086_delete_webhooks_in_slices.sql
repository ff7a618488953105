-- The deletion of a tenant marks its webhooks in its slices, and finds the next one with content by an index.
create index webhooks_with_content on webhooks (tenant_id, id) where url <> '';

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
