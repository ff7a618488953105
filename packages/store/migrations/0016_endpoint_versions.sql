-- Which endpoint an attempt was made to: the version moves with a new URL and with each enabling. A result counts towards the
-- endpoint's failures, or disables the webhook, only while the version is the one that was tried.

alter table webhooks add column endpoint_version integer not null default 1;
-- A copy beside the state that it guards, so that one row lock covers both.
alter table webhook_endpoints add column endpoint_version integer not null default 1;

create function move_endpoint_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  new.endpoint_version := old.endpoint_version + 1;
  return new;
end $$;
create trigger webhooks_move_endpoint_version before update on webhooks
  for each row when (new.url is distinct from old.url or (new.enabled and not old.enabled))
  execute function move_endpoint_version();

create function follow_endpoint_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  -- Failures belong to what was tried before. An endpoint that was failing is probed at once, and opens with the first
  -- success; until then it stays where it delays nobody else.
  update public.webhook_endpoints set endpoint_version = new.endpoint_version, failing_since = null,
    consecutive_failures = case when next_probe_at is null then 0 else consecutive_failures end,
    next_probe_at = case when next_probe_at is not null then now() end where webhook_id = new.id;
  return null;
end $$;
create trigger webhooks_follow_endpoint_version after update on webhooks
  for each row when (new.endpoint_version is distinct from old.endpoint_version)
  execute function follow_endpoint_version();

revoke execute on function move_endpoint_version(), follow_endpoint_version() from public;

-- A list of webhooks counts unfinished deliveries up to a bound, oldest event first. Partitions get it one by one (migrate).
create index deliveries_unfinished on only deliveries (webhook_id, id) where state in ('pending', 'queued', 'attempting');
