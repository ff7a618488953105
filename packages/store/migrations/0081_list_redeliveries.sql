-- Redeliveries of a tenant are listed, newest first.
create index redeliveries_listed on redeliveries (tenant_id, id);
