-- Deletion of a tenant, slice by slice, and what readers of the log leave out afterwards.

alter table tenants
  -- How often the ends of the log were recorded for the deletion under way: 0, 1 or 2.
  add column log_ends_read smallint not null default 0,
  -- The transaction that recorded them last. Writers that began before it may not know of them.
  add column log_ends_xid xid8;
create index tenants_deleting on tenants (updated_at) where state = 'deleting';

-- Records of a tenant below `end_offset` are of an owner whose data was deleted: readers of the log leave them out.
create table tenant_log_ends (
  tenant_id text not null,
  epoch integer not null references log_epochs (epoch),
  partition integer not null,
  end_offset bigint not null check (end_offset >= 0),
  primary key (tenant_id, epoch, partition)
);
create index tenant_log_ends_partition on tenant_log_ends (epoch, partition, end_offset);
grant select, insert, update on tenant_log_ends to ariftly_app;

-- Removes about `rows_max` rows of a tenant whose deletion is under way; answers how many, 0 when none is left. Of API keys and
-- webhooks a row without content stays: no secret is ever taken again, and every matcher learns that the webhook has gone.
-- Events by primary key, deliveries by deliveries_tenant_created, the rest by webhook or from small tables.
create function delete_tenant_slice(tenant text, rows_max integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set enable_seqscan = off as $$
declare
  ids uuid[];
  removed bigint := 0;
  part bigint;
begin
  if not exists (select from public.tenants where id = tenant and state = 'deleting' and log_ends_read > 0) then
    return 0;
  end if;

  -- A delivery goes with its attempts, of which it has several.
  ids := array(select id from public.deliveries where tenant_id = tenant order by tenant_id, created_at, id
    limit greatest(rows_max / 5, 1));
  if cardinality(ids) > 0 then
    delete from public.attempts where delivery_id = any (ids);
    get diagnostics part = row_count;
    delete from public.deliveries where id = any (ids);
    get diagnostics removed = row_count;
    return removed + part;
  end if;

  ids := array(select id from public.events where tenant_id = tenant order by id limit rows_max);
  if cardinality(ids) > 0 then
    delete from public.events where tenant_id = tenant and id = any (ids);
    get diagnostics removed = row_count;
    return removed;
  end if;

  ids := array(select id from public.webhooks where tenant_id = tenant and url <> '' order by id limit 1);
  if cardinality(ids) > 0 then
    delete from public.success_answers where webhook_id = any (ids);
    delete from public.webhook_stats where webhook_id = any (ids);
    get diagnostics part = row_count;
    delete from public.webhook_replays where webhook_id = any (ids);
    delete from public.webhook_endpoints where webhook_id = any (ids);
    update public.webhooks set url = '', events = '{*}', task_id = null, session_id = null, agent = null, description = null,
      filter = null, secret = '', previous_secret = null, previous_secret_until = null, header_names = '{}', headers = null,
      deleted_at = coalesce(deleted_at, now()) where id = any (ids);
    return part + 1;
  end if;

  ids := array(select id from public.redeliveries where tenant_id = tenant limit rows_max);
  delete from public.redeliveries where id = any (ids);
  get diagnostics removed = row_count;
  delete from public.match_backlogs where tenant_id = tenant;
  get diagnostics part = row_count;
  removed := removed + part;

  ids := array(select id from public.api_keys where tenant_id = tenant and name <> '' order by id limit 100);
  delete from public.idempotency_keys where api_key_id = any (ids);
  get diagnostics part = row_count;
  removed := removed + part;
  update public.api_keys set name = '', last_used_at = null where id = any (ids);
  get diagnostics part = row_count;
  return removed + part;
end $$;
revoke execute on function delete_tenant_slice(text, integer) from public;
grant execute on function delete_tenant_slice(text, integer) to ariftly_app;
