/** The AsyncAPI document's `info`: what no schema says and a foreign client needs to know. */
export const LOG_INFO = {
  title: 'Ariftly event log',
  version: '1.1.0',
  description: `The log of all events, for services that read or write it with a Kafka client. Together with the address of an installation this page is all that such a client needs.

**Connecting.** \`servers\` has the host and \`channels\` the topics of a standard installation; yours may have others (\`KAFKA_BROKERS\`, \`KAFKA_TOPIC\`), and may ask for TLS and SASL. Who may read the topic reads every tenant.

**Records** are CloudEvents 1.0 in the binary mode of the Kafka binding: attributes are headers (\`ce_…\`), the value is the payload, one line of JSON. Key, header values and value are UTF-8 without a byte order mark. No header stands twice. Which message of the channel a record is, its header \`ce_type\` says: it is the message's \`name\`.

**An event of the API** is put together so: \`id\` is \`ce_id\`, \`type\` is \`ce_type\`, \`created_at\` is \`ce_time\`, \`task_id\`, \`session_id\` and \`agent\` are \`ce_taskid\`, \`ce_sessionid\` and \`ce_agent\` (null where the header is absent), and \`data\` is the value as it stands, byte for byte. \`ce_time\` is for readers: the millisecond inside the id is the event's time. \`ce_tenant\` says whose it is.

**What to expect besides.** Headers that are not listed here may stand in a record (traces, and what is added later): pass over them. So may members of the payload. A null value (tombstone) is no event, and neither is a record whose headers fit no message: pass over it, the projector puts a copy into the dead letters. Nothing is compacted. The payload's schema is checked where events are posted, and not again in the log.

**Order** holds per key: for all events of a task, and for the events of a session that have no task. Nothing is said between keys, so not between partitions either. The partition is murmur2 of the key, positive, modulo the number of partitions, as in Java's client and kafkajs; librdkafka clients set \`partitioner=murmur2_random\`. The partition count never changes for a topic: more partitions are a new topic.

**Reading.** Start with \`auto.offset.reset=earliest\`. The same event can stand at two offsets after a repost: dedupe by (\`ce_tenant\`, \`ce_id\`), the lowest offset wins. A group reads each record at least once. Values are compressed with gzip or not at all. There are no transactions, so either isolation level will do. Whoever is away for longer than the retention finds the offset gone, and takes what is missing from \`GET /v1/events\`.

**Which log it is.** Offsets mean something only together with the cluster's id and the topic: keep the cluster's id (\`describeCluster\`) beside the offsets that you store, and stop when it is another one. A log that was lost and made again counts from 0, under the same name.

**Times.** A record's timestamp is when the log took it (\`LogAppendTime\`), the one clock that all events share; \`ce_time\` is the poster's and may lie up to 90 days before it.

**Writing.** Only ingest writes: post events by \`POST /v1/events\`, which checks keys, schemas and quotas. Its records have acks=all, no timestamp of their own and no value above 256 KiB. A record that breaks this document goes to the dead letters.

**Changes.** What is here only ever gets wider: new optional headers, new members of payloads, new messages. Anything else is a new topic.`,
} as const
