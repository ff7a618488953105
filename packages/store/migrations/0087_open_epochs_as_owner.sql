-- Only the owner opens an epoch: `migrate` and `adopt-log`.
revoke insert on log_epochs from ariftly_app;
