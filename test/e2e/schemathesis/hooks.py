"""What schemathesis cannot send by itself: NDJSON is text to it."""
import schemathesis

schemathesis.serializer.alias("application/x-ndjson", "text/plain")
