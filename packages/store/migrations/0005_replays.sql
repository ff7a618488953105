-- Replays: past events that a webhook is to get again. Each is a cursor over the log as `events` holds it, advanced slice by
-- slice in the transaction that writes the slice's deliveries.

create table webhook_replays (
  id uuid primary key,
  tenant_id text not null,
  webhook_id uuid not null references webhooks (id),
  -- Log time, both exclusive.
  after_at timestamptz not null,
  before_at timestamptz not null,
  -- Null: all that the webhook takes.
  types text[] check (cardinality(types) > 0),
  -- Only events whose delivery stands so; null: missing ones and all that are finished.
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
  check ((state = 'running') = (finished_at is null))
);
-- One real replay and one dry run of a webhook at a time.
create unique index webhook_replays_running on webhook_replays (webhook_id, dry_run) where state = 'running';
grant select, insert, update on webhook_replays to ariftly_app;

-- Which replay made a delivery pending, so that its cancellation finds what still waits.
alter table deliveries add column replay_id uuid;
