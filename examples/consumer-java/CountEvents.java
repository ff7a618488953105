import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Counts the events of the log by tenant and type. Each event counts once, also when the program is killed and started again.
 *
 * <p>Needs kafka-clients and jackson-databind (with what they depend on) on the class path. Usage: CountEvents localhost:9092
 * ariftly.events.v1 state.json [--until-end]
 */
public final class CountEvents {
  private static final Set<String> KNOWN_TYPES = Set.of("task.created", "task.progress", "task.complete", "task.failed");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Properties settings = new Properties();
  private final String topic;
  private final Path file;
  private final ObjectNode state;

  private CountEvents(String brokers, String topic, Path file) throws IOException {
    settings.put("bootstrap.servers", brokers);
    settings.put("enable.auto.commit", "false");
    settings.put("auto.offset.reset", "none");
    this.topic = topic;
    this.file = file;
    this.state = Files.exists(file) ? (ObjectNode) JSON.readTree(file.toFile()) : JSON.createObjectNode();
  }

  public static void main(String[] args) throws Exception {
    if (args.length < 3) throw new IllegalArgumentException("usage: CountEvents brokers topic state-file [--until-end]");
    new CountEvents(args[0], args[1], Path.of(args[2])).run(args.length > 3);
  }

  private void run(boolean untilEnd) throws Exception {
    checkLog();
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
      List<TopicPartition> partitions = new ArrayList<>();
      consumer.partitionsFor(topic).forEach(each -> partitions.add(new TopicPartition(topic, each.partition())));
      consumer.assign(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      seek(consumer, consumer.beginningOffsets(partitions), ends);
      while (!untilEnd || partitions.stream().anyMatch(each -> consumer.position(each) < ends.get(each))) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
        for (ConsumerRecord<byte[], byte[]> record : records) take(record);
        if (!records.isEmpty()) save();
      }
    }
    System.out.println(state.withObject("/counts"));
  }

  /** Offsets mean nothing in another log: stops when the cluster or the topic is not the one of the state. */
  private void checkLog() throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", settings.get("bootstrap.servers")))) {
      String cluster = admin.describeCluster().clusterId().get();
      String topicId = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId().toString();
      checkId("clusterId", cluster);
      checkId("topicId", topicId);
    }
  }

  private void checkId(String name, String found) {
    String stored = state.path(name).asText(found);
    if (!stored.equals(found)) {
      throw new IllegalStateException("the state is of " + name + " " + stored + ", but this is " + name + " " + found);
    }
    state.put(name, found);
  }

  private void seek(
      KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> starts, Map<TopicPartition, Long> ends) {
    for (TopicPartition each : starts.keySet()) {
      long start = starts.get(each);
      long next = state.path("next").path(String.valueOf(each.partition())).asLong(start);
      if (next < start || next > ends.get(each)) {
        throw new IllegalStateException(each + " has no offset " + next + ": read what is missing from GET /v1/events");
      }
      consumer.seek(each, next);
    }
  }

  /** Changes the counts, the ids and the offset together, so that each saved state is right. */
  private void take(ConsumerRecord<byte[], byte[]> record) {
    state.withObject("/next").put(String.valueOf(record.partition()), record.offset() + 1);
    String tenant = header(record, "ce_tenant");
    String id = header(record, "ce_id");
    String type = header(record, "ce_type");
    if (tenant == null || id == null || type == null || !KNOWN_TYPES.contains(type)) return;
    if (!isObject(record.value())) return;
    ObjectNode seen = state.withObject("/seen"); // Grows with the log: a real service keeps this in its database.
    if (seen.has(tenant + " " + id)) return;
    seen.put(tenant + " " + id, true);
    ObjectNode counts = state.withObject("/counts");
    counts.put(tenant + " " + type, counts.path(tenant + " " + type).asLong() + 1);
  }

  /** A tombstone (null) and what is no JSON object are no events. */
  private static boolean isObject(byte[] value) {
    try {
      JsonNode data = value == null ? null : JSON.readTree(value);
      return data != null && data.isObject();
    } catch (IOException error) {
      return false;
    }
  }

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    Header header = record.headers().lastHeader(name);
    return header == null || header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8);
  }

  /** Replaces the file at once: after a crash it holds the old state or the new one. */
  private void save() throws IOException {
    Path written = Path.of(file + ".new");
    try (FileOutputStream out = new FileOutputStream(written.toFile())) {
      out.write(JSON.writeValueAsBytes(state));
      out.getFD().sync();
    }
    Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
