"""Counts the events of the log by tenant and type. Each event counts once, also when the program is killed and started again.

pip install -r requirements.txt; python3 count_events.py localhost:9092 ariftly.events.v1 state.db [--until-end]
"""
import json
import signal
import sqlite3
import sys

from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

KNOWN_TYPES = {"task.created", "task.progress", "task.complete", "task.failed"}
TABLES = """
CREATE TABLE IF NOT EXISTS log (cluster_id TEXT NOT NULL, topic_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS offsets (part INTEGER PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events (tenant TEXT, id TEXT, type TEXT NOT NULL, PRIMARY KEY (tenant, id));
"""


def main(brokers, topic, file, until_end):
    database = sqlite3.connect(file)
    database.executescript(TABLES)
    check_log(database, brokers, topic)
    # librdkafka wants a group, but assign() does not join it. The offsets of the database count.
    settings = {"bootstrap.servers": brokers, "group.id": "count-events", "enable.auto.commit": False}
    consumer = Consumer({**settings, "auto.offset.reset": "error"})
    stopped = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    try:
        positions, ends = find_positions(database, consumer, topic)
        consumer.assign([TopicPartition(topic, part, offset) for part, offset in positions.items()])
        while not stopped and not (until_end and all(positions[part] >= end for part, end in ends.items())):
            records = consumer.consume(500, 0.2)
            with database:  # One transaction: the events and the offsets, or neither.
                for record in records:
                    if record.error():
                        raise KafkaException(record.error())
                    take(database, record)
                    positions[record.partition()] = record.offset() + 1
                database.executemany("INSERT OR REPLACE INTO offsets VALUES (?, ?)", positions.items())
    finally:
        consumer.close()
    rows = database.execute("SELECT tenant || ' ' || type, count(*) FROM events GROUP BY tenant, type")
    print(json.dumps(dict(rows.fetchall())))


def check_log(database, brokers, topic):
    """Offsets mean nothing in another log: stops when the cluster or the topic is not the one of the database."""
    admin = AdminClient({"bootstrap.servers": brokers})
    cluster_id = admin.describe_cluster(request_timeout=30).result().cluster_id
    described = admin.describe_topics(TopicCollection([topic]), request_timeout=30)[topic].result()
    found = (cluster_id, str(described.topic_id))
    stored = database.execute("SELECT cluster_id, topic_id FROM log").fetchone()
    if stored is None:
        with database:
            database.execute("INSERT INTO log VALUES (?, ?)", found)
    elif stored != found:
        sys.exit(f"the state is of cluster and topic {stored}, but these are {found}")


def find_positions(database, consumer, topic):
    """Where to continue in each partition, and where each ends now."""
    stored = dict(database.execute("SELECT part, next FROM offsets"))
    positions, ends = {}, {}
    for part in consumer.list_topics(topic, 30).topics[topic].partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, part), 30)
        positions[part], ends[part] = stored.get(part, low), high
        if not low <= positions[part] <= high:
            sys.exit(f"partition {part} has no offset {positions[part]}: read what is missing from GET /v1/events")
    return positions, ends


def take(database, record):
    headers = {name: text(value) for name, value in record.headers() or []}
    tenant, event_id, event_type = (headers.get(name) for name in ("ce_tenant", "ce_id", "ce_type"))
    if tenant is None or event_id is None or event_type not in KNOWN_TYPES or not is_object(record.value()):
        return
    database.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", (tenant, event_id, event_type))


def is_object(value):
    """A tombstone (None) and what is no JSON object are no events."""
    try:
        return value is not None and isinstance(json.loads(value), dict)
    except ValueError:
        return False


def text(value):
    return None if value is None else value.decode("utf-8", "replace")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: count_events.py <brokers> <topic> <state file> [--until-end]")
    main(*sys.argv[1:4], until_end="--until-end" in sys.argv[4:])
