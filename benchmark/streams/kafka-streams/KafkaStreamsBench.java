import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.processor.StateRestoreListener;

/**
 * Kafka Streams with the settings that it has by default, but for exactly_once_v2 and a commit every 100 ms; one thread. Values
 * are JSON by Jackson. Arguments: name=value. Prints what it measured as JSON.
 */
public final class KafkaStreamsBench {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Map<String, String> told = new HashMap<>();
  private static int records;
  private static final AtomicInteger worked = new AtomicInteger();
  private static final CountDownLatch allWorked = new CountDownLatch(1);
  private static volatile long[] first;
  private static volatile long[] middle;

  public static void main(String[] arguments) throws Exception {
    for (String argument : arguments) {
      int at = argument.indexOf('=');
      told.put(argument.substring(0, at), argument.substring(at + 1));
    }
    records = Integer.parseInt(told.get("records"));
    long beganNanos = System.nanoTime();
    String kind = told.get("kind");
    var builder = new StreamsBuilder();
    if (kind.equals("transform")) transform(builder);
    else join(builder);
    var streams = new KafkaStreams(builder.build(), properties());
    if (kind.equals("watch")) watch(streams);
    else if (kind.equals("restore")) restore(streams, beganNanos);
    else {
      if (kind.equals("open")) first = moment();
      streams.start();
      if (!kind.equals("open")) allWorked.await();
      awaitCommitted(kind.equals("join") ? 2L * records : records);
      long[] end = moment();
      print(first, middle == null ? first : middle, end, -1);
    }
    Runtime.getRuntime().halt(0);
  }

  private static void transform(StreamsBuilder builder) {
    var json = jsonSerde();
    builder.stream(told.get("input"), Consumed.with(Serdes.String(), json))
        .mapValues(
            event -> {
              worked();
              check(event);
              var made = (ObjectNode) event.deepCopy();
              made.put("id", event.get("id").asText() + "-priced");
              made.put("type", "order.priced");
              var data = (ObjectNode) made.get("data");
              data.put("amountCents", Math.round(data.get("amountCents").asInt() * 1.19));
              data.put("note", data.get("note").asText().toUpperCase());
              return (JsonNode) made;
            })
        .to(told.get("output"), Produced.with(Serdes.String(), json));
  }

  private static void check(JsonNode event) {
    var data = event.get("data");
    boolean isWell =
        event.get("id").isTextual()
            && event.get("timestamp").isIntegralNumber()
            && data.get("orderId").isTextual()
            && data.get("customerId").isTextual()
            && data.get("amountCents").asInt(-1) >= 0
            && data.get("currency").asText().length() == 3
            && data.get("items").size() > 0
            && data.get("note").isTextual();
    if (!isWell) throw new IllegalArgumentException("not an order");
  }

  private static void join(StreamsBuilder builder) {
    var json = jsonSerde();
    var consumed =
        Consumed.with(Serdes.String(), json)
            .withTimestampExtractor((record, time) -> record.timestamp());
    var orders = builder.stream(told.get("orders"), consumed);
    var payments = builder.stream(told.get("payments"), consumed);
    orders
        .join(
            payments,
            (order, payment) -> {
              worked();
              var made = JSON.createObjectNode();
              made.put("id", order.get("id").asText() + "-paid");
              made.put("type", "order.paid");
              made.set("timestamp", payment.get("timestamp"));
              var data = made.putObject("data");
              data.set("orderId", order.get("data").get("orderId"));
              data.set("paymentId", payment.get("data").get("paymentId"));
              data.set("customerId", order.get("data").get("customerId"));
              data.set("amountCents", payment.get("data").get("amountCents"));
              return (JsonNode) made;
            },
            JoinWindows.ofTimeDifferenceAndGrace(Duration.ofHours(24), Duration.ofMinutes(15)),
            StreamJoined.with(Serdes.String(), json, json))
        .to(told.get("output"), Produced.with(Serdes.String(), json));
  }

  private static Serde<JsonNode> jsonSerde() {
    return Serdes.serdeFrom(
        (topic, value) -> {
          try {
            return value == null ? null : JSON.writeValueAsBytes(value);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        },
        (topic, bytes) -> {
          try {
            return bytes == null ? null : JSON.readTree(bytes);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        });
  }

  private static Properties properties() throws IOException {
    var properties = new Properties();
    properties.put("bootstrap.servers", told.get("bootstrap"));
    properties.put("application.id", told.get("group"));
    boolean isOnce = !"at-least-once".equals(told.get("guarantee"));
    properties.put("processing.guarantee", isOnce ? "exactly_once_v2" : "at_least_once");
    properties.put("commit.interval.ms", "100");
    properties.put("auto.offset.reset", "earliest");
    String folder = told.get("folder");
    properties.put(
        "state.dir", folder == null ? Files.createTempDirectory("streams-").toString() : folder);
    if (told.containsKey("member")) {
      properties.put("group.instance.id", told.get("member"));
      properties.put("session.timeout.ms", told.get("session"));
      properties.put("heartbeat.interval.ms", "1000");
    }
    return properties;
  }

  private static void watch(KafkaStreams streams) throws InterruptedException {
    streams.setStateListener(
        (state, before) -> {
          if (state == KafkaStreams.State.RUNNING) System.out.println("running");
        });
    streams.start();
    new CountDownLatch(1).await();
  }

  private static void restore(KafkaStreams streams, long beganNanos) throws Exception {
    var running = new CountDownLatch(1);
    var restored = new AtomicLong();
    var moments = new long[2][];
    streams.setGlobalStateRestoreListener(
        new StateRestoreListener() {
          @Override
          public synchronized void onRestoreStart(
              TopicPartition partition, String store, long from, long to) {
            if (moments[0] == null) moments[0] = moment();
          }

          @Override
          public void onBatchRestored(
              TopicPartition partition, String store, long end, long count) {}

          @Override
          public synchronized void onRestoreEnd(
              TopicPartition partition, String store, long count) {
            restored.addAndGet(count);
            moments[1] = moment();
          }
        });
    streams.setStateListener(
        (state, before) -> {
          if (state == KafkaStreams.State.RUNNING && restored.get() > 0) running.countDown();
        });
    streams.start();
    running.await();
    records = (int) restored.get();
    print(moments[0], moments[0], moments[1], (System.nanoTime() - beganNanos) / 1_000_000);
  }

  private static void worked() {
    int count = worked.incrementAndGet();
    if (count == 1) first = moment();
    if (count == records / 2) middle = moment();
    if (count == records) allWorked.countDown();
  }

  /** Waits until the group has committed that it has read so many records. */
  private static void awaitCommitted(long count) throws Exception {
    try (var admin = Admin.create(Map.of("bootstrap.servers", told.get("bootstrap")))) {
      for (; ; Thread.sleep(5)) {
        long sum = 0;
        var offsets =
            admin.listConsumerGroupOffsets(told.get("group")).partitionsToOffsetAndMetadata();
        for (var offset : offsets.get().values()) sum += offset == null ? 0 : offset.offset();
        if (sum >= count) return;
      }
    }
  }

  private static long[] moment() {
    return new long[] {System.nanoTime(), SYSTEM.getProcessCpuTime()};
  }

  private static void print(long[] from, long[] half, long[] end, long startMs) throws Exception {
    int steady = half == from ? records : records - records / 2;
    System.out.printf(
        "{\"rate\":%f,\"cpuSecondsPerMillion\":%f,\"steadyRate\":%f,\"steadyCpuSecondsPerMillion\":%f,"
            + "\"peakMb\":%f,\"diskMb\":%f,\"startMs\":%d}%n",
        records * 1e9 / (end[0] - from[0]),
        (end[1] - from[1]) / 1e3 / records,
        steady * 1e9 / (end[0] - half[0]),
        (end[1] - half[1]) / 1e3 / steady,
        peakMb(),
        diskMb(),
        startMs);
    System.out.flush();
  }

  private static double diskMb() throws IOException {
    String folder = told.get("folder");
    if (folder == null) return 0;
    try (Stream<Path> files = Files.walk(Path.of(folder))) {
      return files.filter(Files::isRegularFile).mapToLong(path -> path.toFile().length()).sum()
          / 1048576.0;
    }
  }

  /** The most memory that was resident, as Linux counts it. */
  private static double peakMb() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) return Double.parseDouble(line.replaceAll("\\D", "")) / 1024;
    }
    return Double.NaN;
  }
}
