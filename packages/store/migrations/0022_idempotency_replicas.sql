-- Answers of administrative writes that are kept for 24 hours, and the processes that share a quota.

-- Written in the transaction of the effect. `answer` is sealed: it may hold a secret.
create table idempotency_keys (
  api_key_id uuid not null references api_keys (id),
  key text not null check (length(key) between 1 and 255),
  method text not null,
  path text not null,
  -- SHA-256 of the body.
  body_hash bytea not null check (octet_length(body_hash) = 32),
  status smallint not null,
  answer bytea not null,
  created_at timestamptz not null default now(),
  primary key (api_key_id, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);
-- Update is for the row locks of the removal alone.
grant select, insert, update, delete on idempotency_keys to ariftly_app;

-- One row for each process at work, renewed every few seconds. A row that is not renewed is of a process that has gone.
-- Losing the table costs one renewal.
create unlogged table service_replicas (
  service text not null,
  replica uuid not null,
  seen_at timestamptz not null default now(),
  primary key (service, replica)
);
grant select, insert, update, delete on service_replicas to ariftly_app;

-- Open streams of tenants that have a limit, by gateway process; a row counts as long as its process is at work.
create unlogged table open_stream_counts (
  replica uuid not null,
  tenant_id text not null,
  streams integer not null check (streams > 0),
  primary key (replica, tenant_id)
);
grant select, insert, update, delete on open_stream_counts to ariftly_app;
