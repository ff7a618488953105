import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.message.MessageWriter;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.OffsetDateTime;

/**
 * Posts a CloudEvent with the CloudEvents SDK for Java: mode, URL, API key, event as JSON. {@code batch}: also the same with the id
 * {@code second}.
 */
public class SendCloudEvent {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    JsonNode given = json.readTree(args[3]);
    CloudEventBuilder builder =
        CloudEventBuilder.v1()
            .withId(given.get("id").asText())
            .withSource(URI.create(given.get("source").asText()))
            .withType(given.get("type").asText())
            .withSubject(given.get("subject").asText())
            .withTime(OffsetDateTime.parse(given.get("time").asText()))
            .withExtension("agent", given.get("agent").asText())
            .withExtension("note", given.get("note").asText())
            .withData("application/json", json.writeValueAsBytes(given.get("data")));
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(args[1] + "/v1/events"));
    request.header("Authorization", "Bearer " + args[2]);
    MessageWriter<?, ?> writer =
        HttpMessageFactory.createWriter(
            request::header, body -> request.POST(HttpRequest.BodyPublishers.ofByteArray(body)));
    if (args[0].equals("batch")) {
      JsonFormat format = new JsonFormat();
      String first = new String(format.serialize(builder.build()), UTF_8);
      String second = new String(format.serialize(builder.withId("second").build()), UTF_8);
      request.header("Content-Type", "application/cloudevents-batch+json");
      request.POST(HttpRequest.BodyPublishers.ofString("[" + first + "," + second + "]"));
    } else if (args[0].equals("binary")) writer.writeBinary(builder.build());
    else writer.writeStructured(builder.build(), "application/cloudevents+json");
    HttpResponse<String> response =
        HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
    System.out.println(response.statusCode() + " " + response.body());
  }
}
