-- Leases: an attempt is its worker's as long as the worker's heart beats, and queued deliveries return when Redis has lost
-- its jobs. `lease_until` stays behind both, for what neither shows.

-- A row a running worker.
create table webhook_workers (
  id uuid primary key,
  beat_at timestamptz not null default now()
) with (fillfactor = 50);
grant select, insert, update, delete on webhook_workers to ariftly_app;

-- The worker that makes the attempt; of deliveries that are not `attempting` it says nothing. Null: a worker without a heartbeat.
alter table deliveries add column worker_id uuid;

-- One row: the Redis that holds the jobs of the queued deliveries, by a marker that is lost with its data and by its run id,
-- which is another one after a restart or a failover.
create table webhook_queue (
  only_row boolean primary key default true check (only_row),
  marker text,
  run_id text
);
insert into webhook_queue default values;
grant select, update on webhook_queue to ariftly_app;
