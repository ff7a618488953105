"""Posts a CloudEvent with the CloudEvents SDK for Python: mode, event as JSON. `batch`: also the same with the id `second`."""
import json, os, sys, urllib.request
from datetime import datetime

from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

mode, text = sys.argv[1], sys.argv[2]
given = json.loads(text)
data = given.pop("data")
given["time"] = datetime.fromisoformat(given["time"].replace("Z", "+00:00"))
given["datacontenttype"] = "application/json"
event = CloudEvent(attributes=given, data=data)
if mode == "batch":
    second = CloudEvent(attributes={**given, "id": "second"}, data=data)
    body = b"[" + b",".join(JSONFormat().write(each) for each in (event, second)) + b"]"
    headers = {"Content-Type": "application/cloudevents-batch+json"}
else:
    message = (to_binary if mode == "binary" else to_structured)(event, JSONFormat())
    body, headers = message.body, message.headers
request = urllib.request.Request(
    os.environ["ARIFTLY_URL"] + "/v1/events",
    data=body,
    headers={**headers, "Authorization": "Bearer " + os.environ["ARIFTLY_API_KEY"]},
)
with urllib.request.urlopen(request) as response:
    print(response.status, response.read().decode())
