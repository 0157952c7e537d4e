package millrace.cases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** One case's way to the broker: makes clients and names, and closes what it made. */
final class Cluster implements AutoCloseable {
    private static final AtomicInteger NAMES = new AtomicInteger();
    private static final String RUN = Long.toString(System.currentTimeMillis(), 36);

    final String bootstrap;
    private final List<AutoCloseable> clients = new ArrayList<>();
    private Admin admin;

    Cluster(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    /** Whether the clients are of release 4 or later. */
    static boolean clientsAreOfKafka4() {
        return !AppInfoParser.getVersion().startsWith("3.");
    }

    /** A name of a topic, group or transactional id that no other case or run uses. */
    static String name(String base) {
        return base + "-" + RUN + "-" + NAMES.incrementAndGet();
    }

    /** Client configuration, given as name, value, name, value… */
    Map<String, Object> configuration(Object... more) {
        Map<String, Object> configuration = new HashMap<>();
        configuration.put("bootstrap.servers", bootstrap);
        configuration.put("enable.metrics.push", false);
        configuration.put("default.api.timeout.ms", 30_000);
        configuration.put("request.timeout.ms", 20_000);
        configuration.put("retry.backoff.ms", 20);
        for (int i = 0; i < more.length; i += 2) configuration.put((String) more[i], more[i + 1]);
        return configuration;
    }

    Admin admin() {
        if (admin == null) admin = opened(Admin.create(configuration()));
        return admin;
    }

    KafkaProducer<String, String> producer(Object... more) {
        Map<String, Object> configuration = configuration(more);
        configuration.putIfAbsent("delivery.timeout.ms", 30_000);
        return opened(new KafkaProducer<>(configuration, new StringSerializer(), new StringSerializer()));
    }

    /** A producer whose transactions are ready to begin. */
    KafkaProducer<String, String> transactional(String id, Object... more) {
        Object[] all = java.util.Arrays.copyOf(more, more.length + 2);
        all[more.length] = "transactional.id";
        all[more.length + 1] = id;
        KafkaProducer<String, String> producer = producer(all);
        producer.initTransactions();
        return producer;
    }

    /** A consumer; without a group when `group` is null. It reads from the beginning unless told. */
    KafkaConsumer<String, String> consumer(String group, Object... more) {
        Map<String, Object> configuration = configuration(more);
        if (group != null) configuration.put("group.id", group);
        configuration.putIfAbsent("auto.offset.reset", "earliest");
        configuration.putIfAbsent("enable.auto.commit", false);
        configuration.putIfAbsent("fetch.max.wait.ms", 100);
        if (!"consumer".equals(configuration.get("group.protocol"))) {
            configuration.putIfAbsent("heartbeat.interval.ms", 200);
        }
        return opened(new KafkaConsumer<>(configuration, new StringDeserializer(), new StringDeserializer()));
    }

    <T extends AutoCloseable> T opened(T client) {
        synchronized (clients) {
            clients.add(client);
        }
        return client;
    }

    /** Creates a topic; configurations are given as name, value, name, value… */
    String topic(int partitions, String... configs) throws Exception {
        return topicNamed(name("topic"), partitions, configs);
    }

    String topicNamed(String name, int partitions, String... configs) throws Exception {
        Map<String, String> settings = new HashMap<>();
        for (int i = 0; i < configs.length; i += 2) settings.put(configs[i], configs[i + 1]);
        NewTopic topic = new NewTopic(name, partitions, (short) 1).configs(settings);
        admin().createTopics(List.of(topic)).all().get();
        untilKnown(name, partitions);
        return name;
    }

    /** Brokers learn of a topic a moment after it was created. */
    void untilKnown(String name, int partitions) throws Exception {
        Check.until(name + " is known", () -> {
            try {
                return admin().describeTopics(List.of(name)).allTopicNames().get().get(name).partitions().size() == partitions;
            } catch (java.util.concurrent.ExecutionException unknown) {
                return false;
            }
        });
    }

    /** Sends `count` records with keys key-0… and values value-0…, and waits until they are there. */
    void fill(String topic, int count) throws Exception {
        KafkaProducer<String, String> producer = producer("linger.ms", 5);
        for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, "key-" + i, "value-" + i));
        producer.flush();
    }

    /** All records of a topic as they are now, partition by partition. */
    List<ConsumerRecord<String, String>> readAll(String topic, Object... more) {
        KafkaConsumer<String, String> consumer = consumer(null, more);
        List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
            .map(info -> new TopicPartition(topic, info.partition())).toList();
        consumer.assign(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
            consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            Check.that(System.nanoTime() < deadline, "the end of " + topic + " was not reached: " + ends);
        }
        consumer.close();
        records.sort(java.util.Comparator.comparing(ConsumerRecord<String, String>::partition)
            .thenComparing(ConsumerRecord::offset));
        return records;
    }

    static List<String> values(List<ConsumerRecord<String, String>> records) {
        return records.stream().map(ConsumerRecord::value).toList();
    }

    @Override
    public void close() {
        synchronized (clients) {
            for (int i = clients.size() - 1; i >= 0; i--) {
                AutoCloseable client = clients.get(i);
                try {
                    if (client instanceof KafkaProducer<?, ?> producer) producer.close(Duration.ofSeconds(2));
                    // By default it would wait for a fetch that is under way.
                    else if (client instanceof KafkaConsumer<?, ?> consumer) consumer.close(Duration.ofSeconds(2));
                    else client.close();
                } catch (Exception ignored) {
                    // A case that failed may have left its clients in any state.
                }
            }
        }
    }
}
