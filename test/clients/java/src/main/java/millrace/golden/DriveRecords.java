package millrace.golden;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What producers and consumers send. */
final class DriveRecords {
    private final Drive drive;
    private final String topic;
    private final TopicPartition partition;

    DriveRecords(Drive drive) {
        this.drive = drive;
        this.topic = drive.name("records");
        this.partition = new TopicPartition(topic, 0);
    }

    void all() {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            drive.step("idempotent producer, " + codec, () -> produce(topic, "all", true, codec));
        }
        for (String acks : List.of("0", "1", "all")) {
            drive.step("producer, acks " + acks, () -> produce(topic, acks, false, "none"));
        }
        drive.step("producer, append time", () -> produce(drive.name("appended"), "all", true, "lz4"));
        drive.step("producer, no such topic", () -> produce("no such topic", "all", true, "none"));
        drive.step("transactions", this::transactions);
        drive.step("fencing", this::fencing);
        drive.step("offsets in a transaction, without a member", this::offsetsWithoutMember);
        drive.step("assigned consumer", this::assigned);
        drive.step("eager group", () -> group("eager", "partition.assignment.strategy", RangeAssignor.class.getName()));
        drive.step("cooperative group", () -> group("cooperative",
            "partition.assignment.strategy", CooperativeStickyAssignor.class.getName()));
        drive.step("static member", () -> group("static", "group.instance.id", "instance-1"));
        drive.step("consumer protocol", () -> group("consumer", "group.protocol", "consumer"));
        drive.step("pattern, consumer protocol", this::pattern);
        drive.step("share group", () -> new DriveShare(drive).all(topic));
    }

    private KafkaProducer<byte[], byte[]> producer(Object... more) {
        Map<String, Object> configuration = drive.configuration(more);
        configuration.putIfAbsent("max.block.ms", 5000);
        configuration.putIfAbsent("delivery.timeout.ms", 5000);
        configuration.putIfAbsent("linger.ms", 20);
        return new KafkaProducer<>(configuration, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private Consumer<byte[], byte[]> consumer(Object... more) {
        Map<String, Object> configuration = drive.configuration(more);
        configuration.put("auto.offset.reset", "earliest");
        configuration.put("fetch.max.wait.ms", 100);
        return new KafkaConsumer<>(configuration, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private void produce(String to, String acks, boolean idempotent, String codec) throws Exception {
        try (Producer<byte[], byte[]> producer =
                producer("acks", acks, "enable.idempotence", idempotent, "compression.type", codec)) {
            var first = producer.send(new ProducerRecord<>(to, 0, 1700000000000L, bytes("key"), bytes("value")));
            var headers = new ProducerRecord<byte[], byte[]>(to, 0, 1700000000001L, null, bytes("no key"));
            headers.headers().add("text", bytes("header")).add("null", null).add("empty", new byte[0]);
            producer.send(headers);
            producer.send(new ProducerRecord<>(to, 0, 1700000000500L, bytes("deleted"), (byte[]) null));
            producer.send(new ProducerRecord<>(to, 1, 1700000000002L, bytes("key"), bytes("repeat ".repeat(30))));
            producer.flush();
            first.get();
        }
    }

    private void transactions() throws Exception {
        try (Producer<byte[], byte[]> producer = producer("transactional.id", drive.name("tx"));
                Consumer<byte[], byte[]> consumer = consumer("group.id", drive.name("tx-group"),
                    "isolation.level", "read_committed", "enable.auto.commit", false)) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, 0, bytes("tx"), bytes("committed")));
            producer.send(new ProducerRecord<>(topic, 1, bytes("tx"), bytes("committed")));
            consumer.subscribe(List.of(topic));
            poll(consumer);
            producer.sendOffsetsToTransaction(
                Map.of(partition, new OffsetAndMetadata(1, "in a transaction")), consumer.groupMetadata());
            producer.commitTransaction();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, 0, bytes("tx"), bytes("aborted")));
            producer.flush();
            producer.abortTransaction();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, 0, bytes("tx"), bytes("after")));
            producer.commitTransaction();
            consumer.committed(Set.of(partition));
            consumer.seekToBeginning(consumer.assignment());
            poll(consumer);
            consumer.endOffsets(Set.of(partition));
        }
    }

    private void offsetsWithoutMember() throws Exception {
        try (Producer<byte[], byte[]> producer = producer("transactional.id", drive.name("offsets"))) {
            producer.initTransactions();
            producer.beginTransaction();
            producer.sendOffsetsToTransaction(
                Map.of(partition, new OffsetAndMetadata(1, "in a transaction")),
                new org.apache.kafka.clients.consumer.ConsumerGroupMetadata(drive.name("offsets-group")));
            producer.commitTransaction();
        }
    }

    private void fencing() throws Exception {
        try (Producer<byte[], byte[]> first = producer("transactional.id", drive.name("fenced"));
                Producer<byte[], byte[]> second = producer("transactional.id", drive.name("fenced"))) {
            first.initTransactions();
            first.beginTransaction();
            first.send(new ProducerRecord<>(topic, 0, bytes("tx"), bytes("fenced")));
            first.flush();
            second.initTransactions();
            first.commitTransaction();
        }
    }

    private void assigned() {
        try (Consumer<byte[], byte[]> consumer = consumer("group.id", drive.name("assigned"), "enable.auto.commit", false)) {
            consumer.assign(List.of(partition, new TopicPartition(topic, 1)));
            poll(consumer);
            consumer.beginningOffsets(Set.of(partition));
            consumer.offsetsForTimes(Map.of(partition, 1700000000001L, new TopicPartition(topic, 1), 1800000000000L));
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(2, java.util.Optional.of(0), "metadata")));
            consumer.committed(Set.of(partition, new TopicPartition(topic, 1)));
            consumer.listTopics();
            // With a leader epoch the consumer asks whether the log was truncated.
            consumer.seek(partition, new OffsetAndMetadata(1, java.util.Optional.of(0), ""));
            poll(consumer);
            consumer.seek(partition, 1_000_000);
            poll(consumer);
        }
    }

    private void group(String name, Object... more) {
        Object[] first = with(more, "group.id", drive.name(name), "client.id", "golden-first");
        Object[] second = with(more, "group.id", drive.name(name), "client.id", "golden-second",
            "group.instance.id", "instance-2");
        if (!name.equals("static")) second = with(more, "group.id", drive.name(name), "client.id", "golden-second");
        try (Consumer<byte[], byte[]> one = consumer(first); Consumer<byte[], byte[]> two = consumer(second)) {
            one.subscribe(List.of(topic));
            poll(one);
            two.subscribe(List.of(topic, drive.name("appended")));
            for (int i = 0; i < 8; i++) {
                one.poll(Duration.ofMillis(150));
                two.poll(Duration.ofMillis(150));
            }
            one.commitSync();
            new DriveAdmin(drive).describeGroup(drive.name(name));
        }
    }

    private void pattern() throws Exception {
        Class<?> pattern = Class.forName("org.apache.kafka.clients.consumer.SubscriptionPattern");
        try (Consumer<byte[], byte[]> consumer =
                consumer("group.id", drive.name("pattern"), "group.protocol", "consumer")) {
            Object expression = pattern.getConstructor(String.class).newInstance("records-.*");
            Consumer.class.getMethod("subscribe", pattern).invoke(consumer, expression);
            poll(consumer);
        }
        try (Consumer<byte[], byte[]> consumer = consumer("group.id", drive.name("client-pattern"))) {
            consumer.subscribe(Pattern.compile(topic));
            poll(consumer);
        }
    }

    private static void poll(Consumer<byte[], byte[]> consumer) {
        for (int i = 0; i < 30; i++) {
            ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(100));
            if (!records.isEmpty()) return;
        }
    }

    private static Object[] with(Object[] base, Object... more) {
        Object[] all = java.util.Arrays.copyOf(base, base.length + more.length);
        System.arraycopy(more, 0, all, base.length, more.length);
        return all;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }
}
