-- Lists of deliveries are by `created_at`: nothing else reads a webhook's finished deliveries by id.
drop index deliveries_webhook;
drop index deliveries_failed;
