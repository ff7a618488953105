-- A deleted webhook sends nothing any more: its secrets and header values go. Its row stays, as deliveries refer to it.

update webhooks
   set secret = '', previous_secret = null, previous_secret_until = null, header_names = '{}', headers = null
 where deleted_at is not null;
