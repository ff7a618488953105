-- The last batch of statistics that each worker process has added. Each is written with its batch, so that one that is sent again is added once.
create table webhook_stats_writers (
  worker_id uuid primary key,
  batch bigint not null,
  written_at timestamptz not null default now()
) with (fillfactor = 50);
grant select, insert, update, delete on webhook_stats_writers to ariftly_app;
