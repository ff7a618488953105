-- Positions in the log and its identity.

-- Each incarnation of the log. A wiped or exchanged broker is a new epoch, opened by an operator.
create table log_epochs (
  epoch integer primary key check (epoch > 0),
  topic text not null,
  cluster_id text not null,
  created_at timestamptz not null default now()
);
create index log_epochs_topic on log_epochs (topic, epoch);

-- How far each projection (`events`, `webhooks`) has read. The update that moves next_offset is its fence.
create table projection_offsets (
  projection text not null,
  epoch integer not null references log_epochs (epoch),
  topic text not null,
  partition integer not null,
  next_offset bigint not null check (next_offset >= 0),
  last_offset bigint,
  last_id uuid,
  updated_at timestamptz not null default now(),
  primary key (projection, epoch, topic, partition)
) with (fillfactor = 50, autovacuum_vacuum_threshold = 50, autovacuum_vacuum_scale_factor = 0);

-- Offsets that the log lost before they were read: [from_offset, to_offset).
create table log_holes (
  projection text not null,
  epoch integer not null references log_epochs (epoch),
  topic text not null,
  partition integer not null,
  from_offset bigint not null,
  to_offset bigint not null check (to_offset > from_offset),
  found_at timestamptz not null default now(),
  primary key (projection, epoch, topic, partition, from_offset)
);

-- Log time to position, longer than the log itself remembers: at most one row a second and partition.
create table log_times (
  epoch integer not null references log_epochs (epoch),
  partition integer not null,
  "offset" bigint not null,
  appended_at timestamptz not null,
  primary key (epoch, partition, "offset")
);
create index log_times_appended_at on log_times (epoch, partition, appended_at, "offset");

grant select, insert on log_epochs to ariftly_app;
grant select, insert, update on projection_offsets to ariftly_app;
grant select, insert, update (to_offset) on log_holes to ariftly_app;
grant select, insert, delete on log_times to ariftly_app;
