-- Each list of events has one index that can serve it, by the collation of the tenant in index and statement, with any statistics.
-- The primary key has the column's own, and takes no list with a filter. All order by bytes. A statement with a task or a type
-- says "C", one with a session or an agent "POSIX". Partitions get them one by one (migrate).

-- Type and agent stand behind the id of a task's or a session's events, so that rows of others are not read to be left out.
drop index events_task;
create index events_task on only events (tenant_id collate "C", task_id, id, type, agent) where task_id is not null;
drop index events_session;
create index events_session on only events (tenant_id collate "POSIX", session_id, id, type, agent) where session_id is not null;
-- An agent's events stand by type, so that agent and type together are one range; an agent alone is a merge of its types.
drop index events_agent;
create index events_agent on only events (tenant_id collate "POSIX", agent, type, id) where agent is not null;
drop index events_type;
create index events_type on only events (tenant_id collate "C", type, id);

-- Failed deliveries of a tenant, and those of a webhook ("POSIX"), so that none is found by reading the others.
drop index deliveries_tenant_failed;
create index deliveries_tenant_failed on only deliveries (tenant_id collate "ucs_basic", created_at, id) where state = 'failed';
