#!/bin/sh
# The command chooses the service: `ingest`, `projector`, `api`, `stream-gateway`, `webhook-worker`, `standalone`, or one of the one-shots
# `migrate`, `projection …`, `tenants …`, `webhooks …`. Replaces itself by node, so that signals reach it.
set -eu
cd "$(dirname "$0")/../.."
command=${1:-}
[ "$#" -eq 0 ] || shift
case "$command" in
  ingest | projector | api | stream-gateway | webhook-worker | standalone | migrate) main=services/$command/dist/main.js ;;
  projection) main=services/projector/dist/cli.js ;;
  tenants) main=services/api/dist/cli.js ;;
  webhooks) main=services/webhook-worker/dist/cli.js ;;
  *)
    echo "There is no service '$command'. There are: ingest, projector, api, stream-gateway, webhook-worker, standalone, migrate, projection, tenants, webhooks." >&2
    exit 64
    ;;
esac
exec node --enable-source-maps "$main" "$@"
