/** The AsyncAPI document's `info`: what no schema says and a foreign client needs to know. */
export const LOG_INFO = {
  title: 'Ariftly event log',
  version: '1.0.0',
  description: `The log of all events, for services that read or write it with a Kafka client. Together with the address of an installation this page is all that such a client needs.

**Connecting.** \`servers\` has the host and \`channels\` the topics of a standard installation; yours may have others (\`KAFKA_BROKERS\`, \`KAFKA_TOPIC\`), and may ask for TLS and SASL. A client that may read the topic reads every tenant.

**Records** are CloudEvents 1.0 in the binary mode of the Kafka binding: attributes are headers (\`ce_…\`), the value is the payload, one line of JSON. Key, header values and value are UTF-8 without a byte order mark. No header is repeated. The header \`ce_type\` is the \`name\` of the record's message in the channel.

**An event of the API** maps to a record as follows: \`id\` is \`ce_id\`, \`type\` is \`ce_type\`, \`created_at\` is \`ce_time\`, \`task_id\`, \`session_id\` and \`agent\` are \`ce_taskid\`, \`ce_sessionid\` and \`ce_agent\` (null where the header is absent), and \`data\` is the value, byte for byte. \`ce_time\` is for readers: the millisecond inside the id is the event's time. \`ce_tenant\` is its owner.

**What else to expect.** A record may have headers that are not listed here (traces, later additions), and a payload further members: ignore them. A null value (tombstone) is no event, and neither is a record whose headers match no message: skip it, the projector copies it to the dead letters. Nothing is compacted. The payload's schema is checked where events are posted, and not again in the log.

**Order** holds per key: for all events of a task, and for the events of a session that have no task. There is no order between keys, and none between partitions. The partition is murmur2 of the key, positive, modulo the number of partitions, as in Java's client and kafkajs; librdkafka clients set \`partitioner=murmur2_random\`. The partition count never changes for a topic: more partitions are a new topic.

**Reading.** Start with \`auto.offset.reset=earliest\`. After a repost the same event can be at two offsets: dedupe by (\`ce_tenant\`, \`ce_id\`), the lowest offset wins. A group reads each record at least once. Values are compressed with gzip or not at all. There are no transactions, so either isolation level will do. A client that is stopped for longer than the retention finds its offset expired; the missing events are in \`GET /v1/events\`.

**Identity of the log.** Offsets are valid only for one cluster and topic: store the cluster's id (\`describeCluster\`) with the offsets, and stop when it differs. A log that was lost and created again counts from 0, under the same name.

**Times.** A record's timestamp is when the log took it (\`LogAppendTime\`), the one clock that all events share; \`ce_time\` is the poster's and may be up to 90 days earlier.

**Writing.** Only ingest writes: post events by \`POST /v1/events\`, which checks keys, schemas and quotas. Its records have acks=all, no timestamp of their own and no value above 256 KiB. A record that breaks this document goes to the dead letters.

**Changes.** This contract only gets wider: new optional headers, new members of payloads, new messages. Anything else is a new topic.`,
} as const
