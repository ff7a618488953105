-- Deleted webhooks stay as long as deliveries refer to them: until the last partition in which they can have some is dropped, a
-- week after the retention of deliveries. Those that were deleted lately are looked for every second.
create index webhooks_deleted on webhooks (deleted_at) where deleted_at is not null;

create function delete_expired_webhooks(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := clock_timestamp()
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
revoke execute on function delete_expired_webhooks(integer) from public;
grant execute on function delete_expired_webhooks(integer) to ariftly_app;
