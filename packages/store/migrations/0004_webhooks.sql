-- Webhooks, the state of their endpoints, deliveries and attempts. This is the system of record: Redis holds nothing of it.

create table webhooks (
  id uuid primary key,
  tenant_id text not null,
  url text not null,
  -- As given: exact types, groups (`task.*`) or `*`.
  events text[] not null check (cardinality(events) > 0),
  task_id text,
  session_id text,
  agent text,
  description text,
  enabled boolean not null default true,
  disabled_reason text check (disabled_reason in ('manual', 'gone', 'failures')),
  -- Sealed (AES-256-GCM, key id inside) with aad `webhook:<tenant>:<whk id>`. While a rotation overlaps the old one stands
  -- beside it.
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
  check (enabled = (disabled_reason is null)),
  check ((previous_secret is null) = (previous_secret_until is null)),
  check ((headers is null) = (cardinality(header_names) = 0))
);
create index webhooks_tenant on webhooks (tenant_id, id) where deleted_at is null;

-- One row. Every statement that writes webhooks moves it, whoever runs it; the matcher reads it in its transaction.
create table webhooks_version (
  only_row boolean primary key default true check (only_row),
  version bigint not null
);
insert into webhooks_version (version) values (1);

create function bump_webhooks_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  update public.webhooks_version set version = version + 1;
  return null;
end $$;
create trigger webhooks_version_moves after insert or update or delete on webhooks
  for each statement execute function bump_webhooks_version();

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
  rate_refilled_at timestamptz
) with (fillfactor = 50);

-- Each webhook has its endpoint's row from the start, whoever inserts it; one that is enabled again starts afresh.
create function open_webhook_endpoint() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    insert into public.webhook_endpoints (webhook_id, tenant_id) values (new.id, new.tenant_id) on conflict do nothing;
  else
    update public.webhook_endpoints set consecutive_failures = 0, failing_since = null, last_attempt_ms = null,
      next_probe_at = null, probe_delay_ms = null where webhook_id = new.id;
  end if;
  return null;
end $$;
create trigger webhooks_open_endpoint after insert on webhooks
  for each row execute function open_webhook_endpoint();
create trigger webhooks_reopen_endpoint after update of enabled on webhooks
  for each row when (new.enabled and not old.enabled) execute function open_webhook_endpoint();

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
  state text not null default 'pending'
    check (state in ('pending', 'queued', 'attempting', 'delivered', 'failed', 'cancelled')),
  -- Number of the attempt that is due, queued or under way; a job of another number is dropped.
  attempt integer not null default 1,
  -- Attempts that count towards the schedule (probes do not).
  attempt_count integer not null default 0,
  -- The attempt that is queued or under way is a probe of a failing endpoint: it counts towards no schedule.
  probe boolean not null default false,
  -- W3C trace context of the record.
  traceparent text,
  due_at timestamptz,
  lease_until timestamptz,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  check ((state = 'pending') = (due_at is not null)),
  check ((state in ('queued', 'attempting')) = (lease_until is not null)),
  check ((state in ('delivered', 'failed', 'cancelled')) = (finished_at is not null))
) partition by range (id);
create index deliveries_webhook on deliveries (webhook_id, id);
create index deliveries_failed on deliveries (webhook_id, id) where state = 'failed';
create index deliveries_due on deliveries (webhook_id, due_at) where state = 'pending';
create index deliveries_leased on deliveries (tenant_id, webhook_id) where state in ('queued', 'attempting');
create index deliveries_ordering on deliveries (webhook_id, ordering_key, epoch, partition, "offset")
  where state in ('pending', 'queued', 'attempting');

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

-- A delivery's id carries its event's append time: at most the log's retention back, plus what a replay reaches.
create function ensure_delivery_partitions(min_ms bigint, max_ms bigint) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  now_ms bigint := extract(epoch from clock_timestamp()) * 1000;
  lowest bigint := greatest(min_ms, now_ms - 35 * 86400000::bigint);
  highest bigint := least(max_ms, now_ms + 21 * 86400000::bigint);
begin
  return public.create_weekly_partitions('deliveries', lowest, highest)
    + public.create_weekly_partitions('attempts', lowest, highest);
end $$;

-- A partition goes 35 days after its end. Answers the names, and how many deliveries were not finished then.
create function drop_expired_delivery_partitions(out dropped text[], out expired bigint)
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before_ms bigint := (extract(epoch from clock_timestamp()) * 1000)::bigint - 35 * 86400000::bigint;
begin
  -- Whole weeks alone are dropped: what is counted is below the start of the week that holds before_ms.
  select count(*) into expired from public.deliveries
    where id < public.uuid_v7_floor(public.week_start_ms(before_ms)) and state in ('pending', 'queued', 'attempting');
  dropped := public.drop_weekly_partitions('attempts', before_ms)
    || public.drop_weekly_partitions('deliveries', before_ms);
end $$;

revoke execute on function bump_webhooks_version(), open_webhook_endpoint(), ensure_delivery_partitions(bigint, bigint),
  drop_expired_delivery_partitions() from public;
grant execute on function ensure_delivery_partitions(bigint, bigint), drop_expired_delivery_partitions()
  to ariftly_app;
grant select, insert, update on webhooks to ariftly_app;
grant select on webhooks_version to ariftly_app;
grant select, insert, update on webhook_endpoints to ariftly_app;
grant select, insert, update on deliveries to ariftly_app;
grant select, insert on attempts to ariftly_app;

select ensure_delivery_partitions((extract(epoch from now()) * 1000)::bigint - 35 * 86400000::bigint,
  (extract(epoch from now()) * 1000)::bigint + 14 * 86400000::bigint);
