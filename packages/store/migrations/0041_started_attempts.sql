-- Which attempt of a delivery has begun: its start changes no column that an index reads, so that none of the indexes is written
-- (a heap-only update). 0, or an earlier attempt than `attempt`: the one that is queued has not begun. Each statement that
-- makes a delivery pending again moves `attempt` on, so none has to reset this.
alter table deliveries add column started_attempt integer not null default 0;

-- Room on each page for the row's next versions: without it most of them go to another page, and write the indexes all the same.
create or replace function create_weekly_partitions(parent text, min_ms bigint, max_ms bigint) returns integer
language plpgsql set search_path = pg_catalog, public, pg_temp set lock_timeout = '2s' as $$
declare
  week bigint := public.week_start_ms(min_ms);
  child text;
  created integer := 0;
begin
  while week <= max_ms loop
    child := parent || '_p' || to_char(to_timestamp(week / 1000.0) at time zone 'UTC', 'YYYYMMDD');
    if to_regclass('public.' || child) is null then
      perform pg_advisory_xact_lock(hashtextextended('ariftly partitions ' || parent, 0));
      -- Another may have created it while we waited. to_regclass remembers its answer from before; a query does not.
      if not exists (select from pg_class where relname = child and relnamespace = 'public'::regnamespace) then
        execute format('create table public.%I (like public.%I including all excluding indexes) with (fillfactor = %s)',
          child, parent, case parent when 'deliveries' then 50 else 100 end);
        execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
          parent, child, public.uuid_v7_floor(week), public.uuid_v7_floor(week + 604800000));
        created := created + 1;
      end if;
    end if;
    week := week + 604800000;
  end loop;
  return created;
end $$;

do $$
declare
  child regclass;
begin
  for child in select inhrelid::regclass from pg_inherits where inhparent = 'public.deliveries'::regclass loop
    execute format('alter table %s set (fillfactor = 50)', child);
  end loop;
end $$;
