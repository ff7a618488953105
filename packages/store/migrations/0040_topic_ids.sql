-- The topic's id tells a topic that was deleted and made again on the same cluster. Null: not recorded yet (`migrate` does), or
-- the brokers do not tell it.

alter table log_epochs add column topic_id text;
