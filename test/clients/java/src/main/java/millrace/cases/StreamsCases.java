package millrace.cases;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams: internal topics, state and its changelogs, instances that come, go and die. */
final class StreamsCases {
    private static final String[] WORDS = {"mill", "race", "wheel", "water", "stone", "grain", "sluice"};
    private static final String COUNTS = "counts";
    private static final String COMPRESSION = StreamsConfig.producerPrefix("compression.type");

    static void addTo(Suite suite) {
        suite.add("streams, exactly once: words are counted while instances join, leave and restore",
            cluster -> wordCount(cluster, Stores.inMemoryKeyValueStore(COUNTS), StreamsConfig.EXACTLY_ONCE_V2, "gzip"));
        suite.add("streams, at least once: words are counted while instances join, leave and restore",
            cluster -> wordCount(cluster, Stores.persistentKeyValueStore(COUNTS), StreamsConfig.AT_LEAST_ONCE, "snappy"));
        suite.add("streams, exactly once: state that was lost is restored from its changelog", StreamsCases::lostState);
        suite.add("streams, exactly once: state is restored from the topic of a table itself", StreamsCases::sourceTopic);
        suite.add("streams, exactly once: what an instance did not finish when it died is done once", StreamsCases::dies);
        suite.add("streams, exactly once: a standby takes over", StreamsCases::standby);
        suite.add("streams: every key is found at the instance that has it", StreamsCases::queries);
        suite.add("streams: a pattern reads topics that come later", StreamsCases::pattern);
    }

    /** Counts words; the counts go to the output as text. */
    private static Supplier<StreamsBuilder> counter(String input, String output, KeyValueBytesStoreSupplier store) {
        return () -> {
            StreamsBuilder builder = new StreamsBuilder();
            Materialized<String, Long, KeyValueStore<Bytes, byte[]>> counts =
                Materialized.<String, Long>as(store).withKeySerde(Serdes.String()).withValueSerde(Serdes.Long());
            builder.stream(input, Consumed.with(Serdes.String(), Serdes.String()))
                .flatMapValues(line -> List.of(line.split(" ")))
                .groupBy((key, word) -> word, Grouped.with(Serdes.String(), Serdes.String()))
                .count(counts)
                .toStream()
                .mapValues(count -> Long.toString(count))
                .to(output, Produced.with(Serdes.String(), Serdes.String()));
            return builder;
        };
    }

    private static void send(StreamsRun run, String input, Map<String, Long> expected, int from, int to) {
        for (int i = from; i < to; i++) {
            String line = WORDS[i % 7] + " " + WORDS[i % 5] + " " + WORDS[i % 3];
            for (String word : line.split(" ")) expected.merge(word, 1L, Long::sum);
            run.send(input, "line-" + i, line);
        }
        run.flush();
    }

    private static Map<String, Long> last(Cluster cluster, String output) {
        Map<String, Long> counts = new HashMap<>();
        for (var record : cluster.readAll(output, "isolation.level", "read_committed")) {
            counts.put(record.key(), Long.parseLong(record.value()));
        }
        return counts;
    }

    private static void untilCounted(Cluster cluster, String output, Map<String, Long> expected) throws Exception {
        Check.until("all words are counted", () -> expected.equals(last(cluster, output)));
    }

    /** Every count of every word is there once: nothing was lost, nothing was done twice. */
    private static void checkEveryCountOnce(Cluster cluster, String output, Map<String, Long> expected) {
        Map<String, Long> highest = new HashMap<>();
        for (ConsumerRecord<String, String> record : cluster.readAll(output, "isolation.level", "read_committed")) {
            long count = Long.parseLong(record.value());
            Check.equal(highest.getOrDefault(record.key(), 0L) + 1, count, "next count of " + record.key());
            highest.put(record.key(), count);
        }
        Check.equal(expected, highest, "final counts");
    }

    private static void wordCount(Cluster cluster, KeyValueBytesStoreSupplier store, String guarantee, String codec)
            throws Exception {
        String input = cluster.topic(4);
        String output = cluster.topic(2);
        Map<String, Long> expected = new HashMap<>();
        try (StreamsRun run = new StreamsRun(cluster, StreamsConfig.PROCESSING_GUARANTEE_CONFIG, guarantee, COMPRESSION, codec)) {
            Supplier<StreamsBuilder> topology = counter(input, output, store);
            KafkaStreams one = run.start(topology);
            send(run, input, expected, 0, 300);
            Check.until("some output", () -> !cluster.readAll(output).isEmpty());
            KafkaStreams two = run.start(topology);
            send(run, input, expected, 300, 600);
            StreamsRun.untilRunning(one, two);
            one.close(Duration.ofSeconds(20));
            send(run, input, expected, 600, 900);
            KafkaStreams three = run.start(topology);
            StreamsRun.untilRunning(two, three);
            two.close(Duration.ofSeconds(20));
            send(run, input, expected, 900, 1200);
            untilCounted(cluster, output, expected);
            // Instances that leave in order commit what they have done, so this holds for both guarantees.
            checkEveryCountOnce(cluster, output, expected);
        }
    }

    /** Says how many records were restored. */
    private static StreamsRun.Preparation countRestored(AtomicLong restored) {
        return streams -> streams.setGlobalStateRestoreListener(new StateRestoreListener() {
            @Override
            public void onRestoreStart(TopicPartition partition, String store, long start, long end) {}

            @Override
            public void onBatchRestored(TopicPartition partition, String store, long end, long count) {}

            @Override
            public void onRestoreEnd(TopicPartition partition, String store, long count) {
                restored.addAndGet(count);
            }
        });
    }

    private static void lostState(Cluster cluster) throws Exception {
        String input = cluster.topic(2);
        String output = cluster.topic(1);
        Map<String, Long> expected = new HashMap<>();
        try (StreamsRun run = new StreamsRun(cluster, COMPRESSION, "zstd")) {
            Supplier<StreamsBuilder> topology = counter(input, output, Stores.persistentKeyValueStore(COUNTS));
            KafkaStreams first = run.start(topology);
            send(run, input, expected, 0, 200);
            untilCounted(cluster, output, expected);
            first.close(Duration.ofSeconds(20));
            AtomicLong restored = new AtomicLong();
            KafkaStreams second = run.startAgain(topology, countRestored(restored));
            send(run, input, expected, 200, 300);
            untilCounted(cluster, output, expected);
            Check.equal(0L, restored.get(), "records restored with the state at hand");
            second.close(Duration.ofSeconds(20));
            run.loseState();
            run.startAgain(topology, countRestored(restored));
            send(run, input, expected, 300, 400);
            untilCounted(cluster, output, expected);
            // Its changelog is compacted, but its last segment is not.
            Check.equal(900L, restored.get(), "records restored without it");
            checkEveryCountOnce(cluster, output, expected);
        }
    }

    /** The table's own topic is its changelog: nothing else is written, and everything is restored from it. */
    private static void sourceTopic(Cluster cluster) throws Exception {
        String names = cluster.topic(2, "cleanup.policy", "compact");
        String input = cluster.topic(2);
        String output = cluster.topic(1);
        Supplier<StreamsBuilder> topology = () -> {
            StreamsBuilder builder = new StreamsBuilder();
            var table = builder.<String, String>table(names, Materialized.as("names"));
            builder.<String, String>stream(input).join(table, (value, name) -> value + " by " + name).to(output);
            return builder;
        };
        try (StreamsRun run = new StreamsRun(cluster, StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE,
                StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, 5000)) {
            for (int i = 0; i < 40; i++) run.send(names, i % 2, 1000 + i, "key-" + i, "name-" + i);
            for (int i = 0; i < 40; i++) run.send(input, i % 2, 2000 + i, "key-" + i, "order");
            run.flush();
            KafkaStreams first = run.start(topology);
            Check.until("40 joined", () -> run.committed(output).size() == 40);
            first.close(Duration.ofSeconds(20));
            run.loseState();
            AtomicLong restored = new AtomicLong();
            run.startAgain(topology, countRestored(restored));
            for (int i = 0; i < 40; i++) run.send(input, i % 2, 3000 + i, "key-" + i, "payment");
            run.flush();
            Check.until("80 joined", () -> run.committed(output).size() >= 80);
            Check.equal(40L, restored.get(), "restored records");
            Check.that(run.committed(output).containsAll(List.of("key-7=order by name-7", "key-7=payment by name-7")),
                "both are joined with the table");
            Set<String> topics = cluster.admin().listTopics().names().get();
            Check.that(topics.stream().noneMatch(name -> name.startsWith(run.application)), "there is no internal topic");
        }
    }

    /** An instance dies between an output and its commit; the next one does its work again, and once. */
    private static void dies(Cluster cluster) throws Exception {
        String input = cluster.topic(2);
        String output = cluster.topic(2);
        AtomicBoolean trap = new AtomicBoolean(true);
        Supplier<StreamsBuilder> topology = () -> {
            StreamsBuilder builder = new StreamsBuilder();
            var counted = builder.<String, String>stream(input)
                .groupByKey()
                .count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore(COUNTS)).withValueSerde(Serdes.Long()))
                .toStream()
                .mapValues(count -> Long.toString(count));
            counted.to(output);
            counted.foreach((key, count) -> {
                if (count.equals("60") && trap.getAndSet(false)) throw new IllegalStateException("dies here");
            });
            return builder;
        };
        // Nothing but the failure itself ends a transaction, so there is always something to take back.
        try (StreamsRun run = new StreamsRun(cluster, StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000)) {
            for (int i = 0; i < 100; i++) for (int key = 0; key < 4; key++) run.send(input, key % 2, i, "key-" + key, "");
            run.flush();
            KafkaStreams first = run.start(topology, streams ->
                streams.setUncaughtExceptionHandler(failure -> StreamThreadExceptionResponse.SHUTDOWN_CLIENT));
            Check.until("it has died", () -> first.state() == KafkaStreams.State.ERROR);
            run.start(topology);
            Map<String, Long> expected = Map.of("key-0", 100L, "key-1", 100L, "key-2", 100L, "key-3", 100L);
            untilCounted(cluster, output, expected);
            checkEveryCountOnce(cluster, output, expected);
            int all = cluster.readAll(output, "isolation.level", "read_uncommitted").size();
            Check.that(all > 400, "what was aborted is in the topic too: " + all + " records");
        }
    }

    private static void standby(Cluster cluster) throws Exception {
        String input = cluster.topic(2);
        String output = cluster.topic(2);
        Map<String, Long> expected = new HashMap<>();
        try (StreamsRun run = new StreamsRun(cluster, StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, 1, COMPRESSION, "lz4")) {
            Supplier<StreamsBuilder> topology = counter(input, output, Stores.persistentKeyValueStore(COUNTS));
            KafkaStreams one = run.start(topology);
            KafkaStreams two = run.start(topology);
            StreamsRun.untilRunning(one, two);
            send(run, input, expected, 0, 300);
            untilCounted(cluster, output, expected);
            Check.until("the standby tasks have all there is", () -> {
                var lags = two.allLocalStorePartitionLags();
                return lags.containsKey(COUNTS) && lags.get(COUNTS).size() == 2
                    && lags.get(COUNTS).values().stream().allMatch(lag -> lag.offsetLag() <= 1);
            });
            one.close(Duration.ofSeconds(20));
            send(run, input, expected, 300, 600);
            untilCounted(cluster, output, expected);
            checkEveryCountOnce(cluster, output, expected);
        }
    }

    /** What Streams tells its members of each other goes through the group's assignment. */
    private static void queries(Cluster cluster) throws Exception {
        String input = cluster.topic(4);
        String output = cluster.topic(1);
        Map<String, Long> expected = new HashMap<>();
        Supplier<StreamsBuilder> topology = counter(input, output, Stores.inMemoryKeyValueStore(COUNTS));
        try (StreamsRun run = new StreamsRun(cluster, StreamsConfig.APPLICATION_SERVER_CONFIG, "one:1")) {
            KafkaStreams one = run.start(topology);
            StreamsRun.untilRunning(one);
            run.set(StreamsConfig.APPLICATION_SERVER_CONFIG, "two:2");
            KafkaStreams two = run.start(topology);
            StreamsRun.untilRunning(one, two);
            send(run, input, expected, 0, 100);
            untilCounted(cluster, output, expected);
            Check.until("both have some of the state", () -> one.streamsMetadataForStore(COUNTS).size() == 2);
            for (Map.Entry<String, Long> word : expected.entrySet()) {
                var place = one.queryMetadataForKey(COUNTS, word.getKey(), Serdes.String().serializer());
                KafkaStreams owner = place.activeHost().host().equals("one") ? one : two;
                var store = owner.store(StoreQueryParameters.fromNameAndType(COUNTS,
                    QueryableStoreTypes.<String, Long>keyValueStore()));
                Check.equal(word.getValue(), store.get(word.getKey()), "count of " + word.getKey());
            }
        }
    }

    private static void pattern(Cluster cluster) throws Exception {
        String base = Cluster.name("pattern");
        String output = cluster.topic(1);
        cluster.topicNamed(base + "-a", 1);
        Supplier<StreamsBuilder> topology = () -> {
            StreamsBuilder builder = new StreamsBuilder();
            builder.<String, String>stream(Pattern.compile(base + "-[a-z]")).to(output);
            return builder;
        };
        try (StreamsRun run = new StreamsRun(cluster, StreamsConfig.consumerPrefix("metadata.max.age.ms"), 500)) {
            run.start(topology);
            run.send(base + "-a", "a", "1");
            run.flush();
            run.untilCommitted(output, List.of("a=1"));
            cluster.topicNamed(base + "-b", 1);
            run.send(base + "-b", "b", "1");
            run.flush();
            run.untilCommitted(output, List.of("a=1", "b=1"));
        }
    }

    private StreamsCases() {}
}
