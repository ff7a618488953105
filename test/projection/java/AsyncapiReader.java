import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import java.io.File;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Reads the topic of an AsyncAPI 3 document from its start to its present end with Kafka's own client, and prints one line of JSON for
 * each record. What it knows of the log is in the document: server, topic, messages, headers, key and payload.
 *
 * Usage: AsyncapiReader document.json operation
 */
public final class AsyncapiReader {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonSchemaFactory SCHEMAS = JsonSchemaFactory.getInstance(VersionFlag.V7);

  private final JsonNode document;
  private final Map<String, Message> messages = new HashMap<>();

  /** A message of the channel: what a record must be to be one. */
  private record Message(JsonSchema headers, JsonSchema payload, JsonSchema key) {}

  private AsyncapiReader(JsonNode document) {
    this.document = document;
  }

  public static void main(String[] args) throws Exception {
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    new AsyncapiReader(JSON.readTree(new File(args[0]))).run(args[1], out);
    out.flush();
  }

  private void run(String operation, PrintStream out) throws Exception {
    JsonNode channel = resolve(document.at("/operations/" + operation + "/channel"));
    for (JsonNode reference : channel.get("messages")) {
      JsonNode message = resolve(reference);
      JsonNode key = message.at("/bindings/kafka/key");
      messages.put(
          message.get("name").asText(),
          new Message(schema(message.get("headers")), schema(message.get("payload")), schema(key)));
    }
    String topic = channel.get("address").asText();
    Properties settings = new Properties();
    settings.put("bootstrap.servers", document.get("servers").elements().next().get("host").asText());
    settings.put("auto.offset.reset", "earliest");
    settings.put("check.crcs", "true");
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings, bytes, bytes)) {
      List<TopicPartition> partitions = new ArrayList<>();
      consumer.partitionsFor(topic).forEach(each -> partitions.add(new TopicPartition(topic, each.partition())));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.get(each))) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
          out.println(JSON.writeValueAsString(read(record)));
        }
      }
    }
  }

  /** The event of a record, or what keeps it from being one. */
  private ObjectNode read(ConsumerRecord<byte[], byte[]> record) throws Exception {
    ObjectNode line = JSON.createObjectNode();
    line.put("partition", record.partition()).put("offset", record.offset());
    Map<String, String> headers = new LinkedHashMap<>();
    for (Header header : record.headers()) headers.put(header.key(), text(header.value()));
    Message message = messages.get(headers.get("ce_type"));
    if (message == null || record.value() == null) return line.put("skipped", "no message of the channel");
    Set<ValidationMessage> faults = message.headers().validate(JSON.valueToTree(headers));
    if (faults.isEmpty()) faults = message.key().validate(JSON.valueToTree(text(record.key())));
    if (faults.isEmpty()) faults = message.payload().validate(JSON.readTree(record.value()));
    if (!faults.isEmpty()) return line.put("skipped", faults.toString());
    line.put("tenant", headers.get("ce_tenant"));
    line.put("id", headers.get("ce_id")).put("type", headers.get("ce_type"));
    line.put("created_at", headers.get("ce_time"));
    line.put("task_id", headers.get("ce_taskid")).put("session_id", headers.get("ce_sessionid"));
    return line.put("agent", headers.get("ce_agent")).put("data", text(record.value()));
  }

  private JsonSchema schema(JsonNode node) {
    return SCHEMAS.getSchema(node);
  }

  /** Follows references within the document until there is none. */
  private JsonNode resolve(JsonNode node) {
    JsonNode found = node;
    while (found.has("$ref")) found = document.at(found.get("$ref").asText().substring(1));
    return found;
  }

  private static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }
}
