-- API keys, and the feed from which every process learns within a second that a key was revoked.

create table api_keys (
  id uuid primary key,
  tenant_id text not null check (tenant_id ~ '^[a-z0-9-]{1,64}$'),
  name text not null,
  scopes text[] not null check (cardinality(scopes) > 0
    and scopes <@ array['events:write', 'events:read', 'webhooks', 'admin', 'platform']),
  hash bytea not null unique check (octet_length(hash) = 32),
  quota_events_per_s integer check (quota_events_per_s > 0),
  quota_bytes_per_s bigint check (quota_bytes_per_s > 0),
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index api_keys_tenant on api_keys (tenant_id, id) where revoked_at is null;

-- Append-only. A writer takes an advisory transaction lock before the number is drawn, so numbers become visible in
-- their order and a reader that has seen n never misses one below it. A new key needs no entry: nobody has cached it.
create table api_key_changes (
  seq bigint generated always as identity primary key,
  api_key_id uuid not null references api_keys (id),
  kind text not null check (kind in ('revoked')),
  changed_at timestamptz not null default now()
);

grant select, insert on api_keys to ariftly_app;
grant update (revoked_at) on api_keys to ariftly_app;
grant select, insert on api_key_changes to ariftly_app;
