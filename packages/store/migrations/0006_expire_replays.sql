-- Replays go like the deliveries that they made: 35 days after their end. The services' role may not delete what is younger.

create function delete_expired_replays(rows_max integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  before timestamptz := clock_timestamp() - interval '35 days';
  deleted integer;
begin
  -- By primary key, from the oldest on: an id carries the time at which it was made, which is before its end.
  delete from public.webhook_replays where id = any (array(
    select id from public.webhook_replays
    where id < public.uuid_v7_floor((extract(epoch from before) * 1000)::bigint) and finished_at < before
    order by id limit rows_max for update skip locked));
  get diagnostics deleted = row_count;
  return deleted;
end $$;
revoke execute on function delete_expired_replays(integer) from public;
grant execute on function delete_expired_replays(integer) to ariftly_app;
