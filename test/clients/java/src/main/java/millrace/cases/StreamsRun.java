package millrace.cases;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;

/**
 * One application of Kafka Streams: its instances, each with a folder of its own, and what goes in and
 * comes out. Closing it closes the instances and removes their folders.
 */
final class StreamsRun implements AutoCloseable {
    final Cluster cluster;
    final String application = Cluster.name("streams");
    private final Properties settings = new Properties();
    private final List<KafkaStreams> instances = new ArrayList<>();
    private final List<Path> folders = new ArrayList<>();
    private KafkaProducer<String, String> feed;

    /** Settings of Streams are given as name, value, name, value… */
    StreamsRun(Cluster cluster, Object... more) {
        this.cluster = cluster;
        settings.putAll(cluster.configuration());
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 50);
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        // An instance does not leave its group when it is closed: it may soon be back.
        settings.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 3000);
        settings.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 200);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        // What a cache merges depends on when it is flushed; without one the output is the same every time.
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        // A probing rebalance would only make the case longer.
        settings.put(StreamsConfig.ACCEPTABLE_RECOVERY_LAG_CONFIG, Long.MAX_VALUE);
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
    }

    /** Changes a setting of the instances that are started from now on. */
    void set(String name, Object value) {
        settings.put(name, value);
    }

    /** What a case has to do to an instance before it starts. */
    interface Preparation {
        void apply(KafkaStreams streams);
    }

    /** Starts one more instance, with an empty folder. */
    KafkaStreams start(Supplier<StreamsBuilder> topology) throws Exception {
        return start(topology, streams -> {});
    }

    KafkaStreams start(Supplier<StreamsBuilder> topology, Preparation preparation) throws Exception {
        Path folder = Files.createTempDirectory("millrace-streams");
        folders.add(folder);
        return startIn(folder, topology, preparation);
    }

    /** Starts an instance in the folder of the one that was started last. */
    KafkaStreams startAgain(Supplier<StreamsBuilder> topology, Preparation preparation) {
        return startIn(folders.get(folders.size() - 1), topology, preparation);
    }

    private KafkaStreams startIn(Path folder, Supplier<StreamsBuilder> supplier, Preparation preparation) {
        Properties all = new Properties();
        all.putAll(settings);
        all.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        Topology topology = supplier.get().build(all);
        KafkaStreams streams = new KafkaStreams(topology, all);
        preparation.apply(streams);
        streams.start();
        instances.add(streams);
        return streams;
    }

    static void untilRunning(KafkaStreams... all) throws Exception {
        Check.until("all instances run", () ->
            Arrays.stream(all).allMatch(streams -> streams.state() == KafkaStreams.State.RUNNING));
    }

    /** Writes a record at a time of the case's own; records of one partition are read as they are written. */
    void send(String topic, int partition, long timestamp, String key, String value) {
        if (feed == null) feed = cluster.producer("linger.ms", 2);
        feed.send(new ProducerRecord<>(topic, partition, timestamp, key, value));
    }

    void send(String topic, String key, String value) {
        if (feed == null) feed = cluster.producer("linger.ms", 2);
        feed.send(new ProducerRecord<>(topic, key, value));
    }

    void flush() {
        feed.flush();
    }

    /** What is committed to a topic: key=value, sorted, for the order of partitions is not told. */
    List<String> committed(String topic) {
        return cluster.readAll(topic, "isolation.level", "read_committed").stream()
            .map(record -> record.key() + "=" + record.value()).sorted().toList();
    }

    /** Waits until exactly this is committed to a topic, in any order of keys. */
    void untilCommitted(String topic, List<String> expected) throws Exception {
        List<String> sorted = expected.stream().sorted().toList();
        List<List<String>> last = new ArrayList<>();
        try {
            Check.until("the output", () -> {
                last.clear();
                last.add(committed(topic));
                return last.get(0).size() >= sorted.size();
            });
        } catch (AssertionError late) {
            throw new AssertionError("expected " + sorted + ", got " + last, late);
        }
        Check.equal(sorted, last.get(0), "output");
    }

    @Override
    public void close() throws Exception {
        for (KafkaStreams streams : instances) streams.close(Duration.ofSeconds(10));
        for (Path folder : folders) remove(folder);
    }

    /** Removes the folder that the instance which was started last keeps its state in. */
    void loseState() throws Exception {
        remove(folders.get(folders.size() - 1));
    }

    private static void remove(Path folder) throws Exception {
        if (!Files.exists(folder)) return;
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(path);
        }
    }
}
