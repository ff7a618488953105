-- Replays of a webhook, newest first.
create index webhook_replays_webhook on webhook_replays (webhook_id, id);

-- When a tenant's redeliveries had their last turn.
create index redeliveries_turns on redeliveries (tenant_id, updated_at);
