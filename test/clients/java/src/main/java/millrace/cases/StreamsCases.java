package millrace.cases;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams with exactly_once_v2: internal topics, state, changelogs, instances that come and go. */
final class StreamsCases {
    private static final String[] WORDS = {"mill", "race", "wheel", "water", "stone", "grain", "sluice"};

    static void addTo(Suite suite) {
        suite.add("streams, exactly once: words are counted while an instance joins, leaves and restores", StreamsCases::wordCount);
        suite.add("streams, exactly once: a join of two streams", StreamsCases::join);
    }

    private static KafkaStreams start(Cluster cluster, String application, Path folder, Topology topology) {
        Properties properties = new Properties();
        properties.putAll(cluster.configuration());
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 50);
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        properties.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        properties.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 6000);
        properties.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 200);
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        // A standby or probing rebalance would only make the case longer.
        properties.put(StreamsConfig.ACCEPTABLE_RECOVERY_LAG_CONFIG, Long.MAX_VALUE);
        KafkaStreams streams = new KafkaStreams(topology, properties);
        streams.start();
        cluster.opened(() -> streams.close(Duration.ofSeconds(5)));
        return streams;
    }

    private static void untilRunning(KafkaStreams... all) throws Exception {
        Check.until("all instances run", () ->
            Arrays.stream(all).allMatch(streams -> streams.state() == KafkaStreams.State.RUNNING));
    }

    private static Topology wordCounter(String input, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        // In memory: what is lost with an instance can only come back from its changelog.
        Materialized<String, Long, KeyValueStore<Bytes, byte[]>> counts =
            Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts"))
                .withKeySerde(Serdes.String()).withValueSerde(Serdes.Long());
        builder.stream(input, Consumed.with(Serdes.String(), Serdes.String()))
            .flatMapValues(line -> List.of(line.split(" ")))
            .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
            .count(counts)
            .toStream()
            .mapValues(count -> Long.toString(count))
            .to(output, Produced.with(Serdes.String(), Serdes.String()));
        return builder.build();
    }

    private static void wordCount(Cluster cluster) throws Exception {
        String input = cluster.topic(4);
        String output = cluster.topic(2);
        String application = Cluster.name("streams");
        List<Path> folders = new ArrayList<>();
        for (int i = 0; i < 3; i++) folders.add(Files.createTempDirectory("millrace-streams"));
        try {
            KafkaProducer<String, String> feed = cluster.producer("linger.ms", 2);
            Map<String, Long> expected = new HashMap<>();
            KafkaStreams one = start(cluster, application, folders.get(0), wordCounter(input, output));
            send(feed, input, expected, 0, 300);
            Check.until("some output", () -> !cluster.readAll(output).isEmpty());
            KafkaStreams two = start(cluster, application, folders.get(1), wordCounter(input, output));
            send(feed, input, expected, 300, 600);
            untilRunning(one, two);
            one.close(Duration.ofSeconds(20));
            send(feed, input, expected, 600, 900);
            KafkaStreams three = start(cluster, application, folders.get(2), wordCounter(input, output));
            untilRunning(two, three);
            two.close(Duration.ofSeconds(20));
            send(feed, input, expected, 900, 1200);
            Check.until("all words are counted", () -> expected.equals(last(cluster, output)));
            checkEveryCountOnce(cluster, output, expected);
        } finally {
            cluster.close();
            for (Path folder : folders) remove(folder);
        }
    }

    private static void send(KafkaProducer<String, String> feed, String input, Map<String, Long> expected, int from, int to) {
        for (int i = from; i < to; i++) {
            String line = WORDS[i % 7] + " " + WORDS[i % 5] + " " + WORDS[i % 3];
            for (String word : line.split(" ")) expected.merge(word, 1L, Long::sum);
            feed.send(new ProducerRecord<>(input, "line-" + i, line));
        }
        feed.flush();
    }

    private static Map<String, Long> last(Cluster cluster, String output) {
        Map<String, Long> counts = new HashMap<>();
        for (var record : cluster.readAll(output, "isolation.level", "read_committed")) {
            counts.put(record.key(), Long.parseLong(record.value()));
        }
        return counts;
    }

    /** The counts of a word only rise; a repeated or lost input would repeat or miss the last one. */
    private static void checkEveryCountOnce(Cluster cluster, String output, Map<String, Long> expected) {
        Map<String, Long> highest = new HashMap<>();
        for (ConsumerRecord<String, String> record : cluster.readAll(output, "isolation.level", "read_committed")) {
            long count = Long.parseLong(record.value());
            Long before = highest.put(record.key(), count);
            Check.that(before == null || before < count, record.key() + " goes from " + before + " to " + count);
        }
        Check.equal(expected, highest, "final counts");
    }

    private static void join(Cluster cluster) throws Exception {
        String orders = cluster.topic(2);
        String payments = cluster.topic(2);
        String output = cluster.topic(2);
        Path folder = Files.createTempDirectory("millrace-streams");
        try {
            StreamsBuilder builder = new StreamsBuilder();
            KStream<String, String> right = builder.stream(payments);
            var window = JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofMinutes(5));
            builder.<String, String>stream(orders)
                .join(right, (order, payment) -> order + " paid by " + payment, window,
                    StreamJoined.with(
                        Stores.inMemoryWindowStore("orders", Duration.ofMinutes(10), Duration.ofMinutes(10), true),
                        Stores.inMemoryWindowStore("payments", Duration.ofMinutes(10), Duration.ofMinutes(10), true)))
                .to(output);
            start(cluster, Cluster.name("streams"), folder, builder.build());
            KafkaProducer<String, String> feed = cluster.producer();
            for (int i = 0; i < 100; i++) {
                feed.send(new ProducerRecord<>(orders, "order-" + i, "order " + i));
                if (i % 2 == 0) feed.send(new ProducerRecord<>(payments, "order-" + i, "payment " + i));
            }
            feed.flush();
            Check.until("50 orders are paid",
                () -> cluster.readAll(output, "isolation.level", "read_committed").size() == 50);
        } finally {
            cluster.close();
            remove(folder);
        }
    }

    private static void remove(Path folder) throws Exception {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(path);
        }
    }

    private StreamsCases() {}
}
