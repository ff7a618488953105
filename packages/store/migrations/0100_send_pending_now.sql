-- What is pending can be sent now: a redelivery of `pending` makes deliveries due that are due later. One that a change of a webhook has
-- asked for, and no caller, names the webhook; each webhook has one at most, which begins again.

alter table redeliveries add column drained_webhook_id uuid;
create unique index redeliveries_drains on redeliveries (drained_webhook_id) where drained_webhook_id is not null;
-- Callers see their own alone: of these one runs at a time, and they are listed, newest first.
drop index redeliveries_running;
create unique index redeliveries_running on redeliveries (tenant_id)
  where state = 'running' and not dry_run and drained_webhook_id is null;
drop index redeliveries_listed;
create index redeliveries_listed on redeliveries (tenant_id, id) where drained_webhook_id is null;

-- When a failing endpoint whose next probe is at `next_at` is probed if that is to be soon: 10 s after the last probe at the earliest, which
-- ended `delay_ms` before. A time within the next 10 s is left as it is: it may have been moved already. So is one further away than its wait,
-- which is due: it was planned before the clock was set back.
create function soonest_probe(next_at timestamptz, delay_ms integer) returns timestamptz
language sql stable parallel safe set search_path = pg_catalog, public, pg_temp
return case when next_at > now() + interval '10 s' and next_at <= now() + delay_ms * interval '1 ms'
  then greatest(now(), next_at - delay_ms * interval '1 ms' + interval '10 s') else next_at end;

-- Makes all that a webhook has pending due, in slices that the webhook worker makes, and the next probe of a failing endpoint. Answers whether
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
-- that was failing is probed soon, and opens with the first success; until then it stays where it delays nobody else.
create or replace function follow_endpoint_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  update public.webhook_endpoints set endpoint_version = new.endpoint_version, failing_since = null,
    consecutive_failures = case when next_probe_at is null then 0 else consecutive_failures end where webhook_id = new.id;
  perform public.drain_webhook(new.id);
  return null;
end $$;

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

revoke execute on function drain_webhook(uuid), drain_opened_endpoint() from public;
grant execute on function drain_webhook(uuid), soonest_probe(timestamptz, integer) to ariftly_app;
