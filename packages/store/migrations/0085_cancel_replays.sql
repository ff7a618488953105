-- What a replay has made pending is cancelled with it, beside any backlog of its webhook. The order is in the statement too, so
-- that no other index serves it.
create index deliveries_replay on only deliveries (replay_id, "offset")
  where replay_id is not null and state in ('pending', 'queued', 'attempting');
