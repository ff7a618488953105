-- How far the deletion of a tenant has come in its keys (`id`): null before the first slice, the largest UUID after the last one. No
-- key is added meanwhile, see guard_new_api_key.
alter table tenants add column api_keys_deleted_to uuid;
