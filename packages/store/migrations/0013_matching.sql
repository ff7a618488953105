-- Matching: only what matters to it moves the version of the webhooks, and a tenant with more matches than its share is
-- matched later, beside the log.

-- The version at which a row last changed in what matching reads. Rows of before have 0.
alter table webhooks add column matching_version bigint not null default 0;
create index webhooks_matching_version on webhooks (matching_version);

-- The row of webhooks_version stays locked until the transaction ends, so whoever reads version n sees every row up to n.
create function move_webhooks_version() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  update public.webhooks_version set version = version + 1 returning version into new.matching_version;
  return new;
end $$;
revoke execute on function move_webhooks_version() from public;
create trigger webhooks_inserted before insert on webhooks
  for each row execute function move_webhooks_version();
-- Columns that matching does not read are left out by name, so that a new column counts unless it is named here.
create function webhook_as_matched(webhook webhooks) returns jsonb
language sql immutable parallel safe set search_path = pg_catalog, public, pg_temp
return to_jsonb(webhook) - '{url,description,secret,previous_secret,previous_secret_until,header_names,headers,rate_limit,ordering,disabled_reason,updated_at,endpoint_version,matching_version}'::text[];
create trigger webhooks_changed before update on webhooks
  for each row when (webhook_as_matched(old) is distinct from webhook_as_matched(new))
  execute function move_webhooks_version();
drop trigger webhooks_version_moves on webhooks;
drop function bump_webhooks_version();

-- Enabling a webhook again resets nothing that is known of its endpoint: a slow one stays apart from the quick ones.
drop trigger webhooks_reopen_endpoint on webhooks;
create or replace function open_webhook_endpoint() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  insert into public.webhook_endpoints (webhook_id, tenant_id) values (new.id, new.tenant_id) on conflict do nothing;
  return null;
end $$;

-- Records of a tenant that the matcher has passed by, [next_offset, end_offset) of one part of the log: its events there are
-- matched in turns, the lowest part of a partition first. A row a part, so that the matcher never waits for whoever works on
-- an earlier one.
create table match_backlogs (
  epoch integer not null references log_epochs (epoch),
  partition integer not null,
  tenant_id text not null,
  first_offset bigint not null,
  next_offset bigint not null,
  end_offset bigint not null check (end_offset > next_offset),
  -- The last turn; whose turn was longest ago is next.
  updated_at timestamptz not null default now(),
  primary key (epoch, partition, tenant_id, first_offset)
) with (fillfactor = 50);
grant select, insert, update, delete on match_backlogs to ariftly_app;
