-- What receivers answered to the last successful attempts of each webhook. `attempts` keeps headers and body of failures alone:
-- an answer to each success would let one tenant fill the database.
create table success_answers (
  webhook_id uuid not null,
  delivery_id uuid not null,
  attempt integer not null,
  kept_at timestamptz not null default clock_timestamp(),
  response_headers json,
  response_body bytea,
  primary key (webhook_id, delivery_id, attempt)
);
grant select, insert, update, delete on success_answers to ariftly_app;
