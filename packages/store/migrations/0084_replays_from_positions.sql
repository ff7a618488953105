-- Replays that begin at a position of a stream and not at a time.

alter table webhook_replays
  -- The position as it was given; null: the replay begins at after_at.
  add column from_position text,
  -- What the position says: of each partition of this epoch the first offset that is replayed. Null with a lost position, which
  -- begins at after_at. Code of the version before does not know them and begins at after_at too, which is before all that follows.
  add column from_epoch integer,
  add column from_offsets bigint[],
  -- The position was of another epoch, or from before what a replay reaches.
  add column truncated boolean not null default false,
  add constraint webhook_replays_from check ((from_epoch is null) = (from_offsets is null));
