"""What schemathesis cannot do alone: it gets ids, also of a third tenant, and ends no key that it uses."""

import atexit
import json
import os
from collections import Counter

import schemathesis

# NDJSON is text to it.
schemathesis.serializer.alias("application/x-ndjson", "text/plain")

# Ids by the prefix of their kind: of the tenant that calls, and of one that no key of the run belongs to.
OWN = json.loads(os.environ["OWN_IDS"])
FOREIGN = json.loads(os.environ["FOREIGN_IDS"])
# Ids of the keys that the run calls with.
KEPT = set(json.loads(os.environ["KEPT_KEYS"]))
# In all data of the third tenant.
MARK = os.environ["FOREIGN_MARK"]

KINDS = {"events": "evt", "deliveries": "dlv", "redeliveries": "rdl", "webhooks": "whk", "api-keys": "key"}

calls = Counter()
offered = Counter()


def kind_of(path, name):
    """The prefix of the ids that a parameter of a path takes; None for a code or the name of a tenant."""
    return "rpl" if name == "replay" else KINDS.get(path.split("/")[2] if path.startswith("/v1/") else "")


@schemathesis.hook
def before_call(ctx, case, kwargs):
    label = case.operation.label
    parameters = case.path_parameters or {}
    ends_keys = label.startswith(("PATCH /v1/api-keys", "POST /v1/api-keys/", "DELETE /v1/api-keys"))
    if ends_keys and parameters.get("id") in KEPT:
        case.path_parameters = {**parameters, "id": FOREIGN["key"]}
        return
    # A sequence of calls has ids of its own, of what it has made.
    if case.meta is not None and case.meta.phase.name == "stateful":
        return
    calls[label] += 1
    ids = {1: FOREIGN, 2: OWN}.get(calls[label] % 3)
    if ids is None:
        return
    named = {name: ids[kind_of(case.operation.path, name)] for name in parameters if kind_of(case.operation.path, name)}
    if named:
        case.path_parameters = {**parameters, **named}
    query = case.query or {}
    asked = {
        name: ids[prefix]
        for name, prefix in (("webhook_id", "whk"), ("event_id", "evt"), ("tenant", "tenant"))
        if name in query
    }
    if asked:
        case.query = {**query, **asked}
    if ids is FOREIGN and (named or asked):
        offered[label] += 1


@schemathesis.check
def third_tenant(ctx, response, case):
    """Nothing of the third tenant is shown, and none of its resources is there."""
    if MARK in response.content.decode("utf-8", "replace"):
        raise AssertionError("An answer shows what another tenant has.")
    path, _, query = response.request.url.partition("?")
    named = any(part in FOREIGN.values() for part in path.split("/")) or f"tenant={FOREIGN['tenant']}" in query
    if named and response.status_code < 400:
        raise AssertionError("A resource of another tenant can be reached.")


@atexit.register
def report():
    """How often each operation was offered an id of the third tenant: a test checks that it was."""
    with open("offered.json", "w", encoding="utf-8") as file:
        json.dump(offered, file)
