-- A filter may hold strings that json has and jsonb does not (\u0000, half a surrogate pair): it is compared as text, so that
-- each webhook can be changed, disabled and deleted.
create or replace function webhook_as_matched(webhook webhooks) returns jsonb
language plpgsql immutable parallel safe set search_path = pg_catalog, public, pg_temp as $$
declare
  filter_text text := webhook.filter::text;
begin
  webhook.filter := null;
  return (to_jsonb(webhook) || jsonb_build_object('filter', filter_text))
    - '{url,description,secret,previous_secret,previous_secret_until,header_names,headers,rate_limit,ordering,disabled_reason,updated_at,endpoint_version,matching_version}'::text[];
end $$;
