-- When the projector wrote an event. Null for older rows: a column that is added with a default would date them now.
alter table events add column projected_at timestamptz;
alter table events alter column projected_at set default statement_timestamp();
