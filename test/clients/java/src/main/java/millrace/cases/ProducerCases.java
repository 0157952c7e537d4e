package millrace.cases;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;

/** Producers without transactions. */
final class ProducerCases {
    static void addTo(Suite suite) {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            suite.add("producer, codec " + codec + ": what was sent is read back", cluster -> roundTrip(cluster, codec));
        }
        for (String acks : List.of("0", "1", "all")) {
            suite.add("producer, acks " + acks + " without idempotence", cluster -> acknowledged(cluster, acks));
        }
        suite.add("producer: offsets are consecutive and acknowledged in order", ProducerCases::offsets);
        suite.add("producer: a key has one partition, keyless records have all", ProducerCases::partitions);
        suite.add("producer: batches of almost a megabyte", ProducerCases::largeBatches);
        suite.add("producer: many producers on one partition", ProducerCases::manyProducers);
        suite.add("producer: a record above max.message.bytes is refused", ProducerCases::tooLarge);
        suite.add("producer: an invalid topic name is refused at once", ProducerCases::invalidTopic);
        suite.add("producer: a keyless record on a compacted topic is refused, the others are stored",
            ProducerCases::keylessOnCompacted);
        suite.add("producer: LogAppendTime is answered and delivered", ProducerCases::appendTime);
        suite.add("producer: min.insync.replicas above the number of replicas counts as that number",
            ProducerCases::moreInSyncThanReplicas);
    }

    private static void roundTrip(Cluster cluster, String codec) throws Exception {
        String topic = cluster.topic(3);
        KafkaProducer<String, String> producer =
            cluster.producer("compression.type", codec, "linger.ms", 5, "batch.size", 8192);
        Random random = new Random(7);
        Map<String, ProducerRecord<String, String>> sent = new HashMap<>();
        for (int i = 0; i < 500; i++) {
            String value = i % 50 == 0 ? null : i + "x".repeat(random.nextInt(40)) + random.nextLong();
            var record = new ProducerRecord<>(topic, i % 3, 1_700_000_000_000L + random.nextInt(5000), "key-" + i, value);
            record.headers().add("number", new byte[] {(byte) i}).add("null", null).add("number", new byte[0]);
            sent.put(record.key(), record);
            producer.send(record);
        }
        producer.flush();
        List<ConsumerRecord<String, String>> read = cluster.readAll(topic);
        Check.equal(500, read.size(), "records read");
        for (ConsumerRecord<String, String> record : read) {
            ProducerRecord<String, String> original = sent.remove(record.key());
            Check.equal(original.value(), record.value(), "value of " + record.key());
            Check.equal(original.timestamp(), record.timestamp(), "timestamp of " + record.key());
            Check.equal(original.partition(), record.partition(), "partition of " + record.key());
            Header[] headers = record.headers().toArray();
            Check.equal(3, headers.length, "headers");
            Check.equal(original.headers(), record.headers(), "headers of " + record.key());
        }
    }

    private static void acknowledged(Cluster cluster, String acks) throws Exception {
        String topic = cluster.topic(1);
        KafkaProducer<String, String> producer = cluster.producer("acks", acks, "enable.idempotence", false);
        RecordMetadata metadata = null;
        for (int i = 0; i < 20; i++) metadata = producer.send(new ProducerRecord<>(topic, "key", "value-" + i)).get();
        Check.equal(!acks.equals("0"), metadata.hasOffset(), "an offset is known");
        if (metadata.hasOffset()) Check.equal(19L, metadata.offset(), "last offset");
        // Without acknowledgement the records may arrive after the producer has gone.
        Check.until("20 records are there", () -> cluster.readAll(topic).size() == 20);
    }

    private static void offsets(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        KafkaProducer<String, String> producer = cluster.producer("max.in.flight.requests.per.connection", 5, "linger.ms", 0);
        List<Future<RecordMetadata>> results = new ArrayList<>();
        for (int i = 0; i < 3000; i++) results.add(producer.send(new ProducerRecord<>(topic, "key", "value-" + i)));
        for (int i = 0; i < 3000; i++) Check.equal((long) i, results.get(i).get().offset(), "offset of record " + i);
        List<String> values = Cluster.values(cluster.readAll(topic));
        for (int i = 0; i < 3000; i++) Check.equal("value-" + i, values.get(i), "record " + i);
    }

    private static void partitions(Cluster cluster) throws Exception {
        String topic = cluster.topic(4);
        KafkaProducer<String, String> producer = cluster.producer("batch.size", 200, "linger.ms", 0);
        Map<String, Integer> partitionOfKey = new HashMap<>();
        for (int i = 0; i < 40; i++) {
            String key = "key-" + i % 10;
            int partition = producer.send(new ProducerRecord<>(topic, key, "value")).get().partition();
            Integer before = partitionOfKey.put(key, partition);
            if (before != null) Check.equal(before, partition, "partition of " + key);
        }
        Set<Integer> used = new HashSet<>();
        for (int i = 0; i < 400; i++) used.add(producer.send(new ProducerRecord<>(topic, "x".repeat(190))).get().partition());
        Check.equal(Set.of(0, 1, 2, 3), used, "partitions of keyless records");
    }

    private static void largeBatches(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        KafkaProducer<String, String> producer = cluster.producer("batch.size", 1_000_000, "linger.ms", 100);
        String filling = "0123456789".repeat(9_000);
        for (int i = 0; i < 60; i++) producer.send(new ProducerRecord<>(topic, i % 2, "key-" + i, i + filling));
        producer.flush();
        List<ConsumerRecord<String, String>> read = cluster.readAll(topic, "max.partition.fetch.bytes", 100_000);
        Check.equal(60, read.size(), "records");
        for (ConsumerRecord<String, String> record : read) {
            Check.equal(record.key().substring(4) + filling, record.value(), "value of " + record.key());
        }
    }

    private static void manyProducers(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        List<Future<RecordMetadata>> results = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            KafkaProducer<String, String> producer = cluster.producer("linger.ms", 1);
            for (int j = 0; j < 200; j++) results.add(producer.send(new ProducerRecord<>(topic, "producer-" + i, "" + j)));
        }
        Set<Long> offsets = new HashSet<>();
        for (Future<RecordMetadata> result : results) offsets.add(result.get().offset());
        Check.equal(1200, offsets.size(), "different offsets");
        Map<String, Integer> next = new HashMap<>();
        for (ConsumerRecord<String, String> record : cluster.readAll(topic)) {
            int expected = next.merge(record.key(), 1, Integer::sum) - 1;
            Check.equal("" + expected, record.value(), "next record of " + record.key());
        }
    }

    private static void tooLarge(Cluster cluster) throws Exception {
        String topic = cluster.topic(1, "max.message.bytes", "2000");
        KafkaProducer<String, String> producer = cluster.producer();
        Check.fails(RecordTooLargeException.class,
            () -> producer.send(new ProducerRecord<>(topic, "key", "x".repeat(3000))).get());
        producer.send(new ProducerRecord<>(topic, "key", "x".repeat(1000))).get();
        Check.equal(1, cluster.readAll(topic).size(), "records stored");
    }

    private static void invalidTopic(Cluster cluster) throws Exception {
        KafkaProducer<String, String> producer = cluster.producer("max.block.ms", 20_000);
        Check.fails(InvalidTopicException.class, () -> producer.send(new ProducerRecord<>("not a name", "value")).get());
    }

    private static void keylessOnCompacted(Cluster cluster) throws Exception {
        String topic = cluster.topic(1, "cleanup.policy", "compact");
        KafkaProducer<String, String> producer = cluster.producer("linger.ms", 200);
        Future<RecordMetadata> good = producer.send(new ProducerRecord<>(topic, "key", "value"));
        Future<RecordMetadata> keyless = producer.send(new ProducerRecord<>(topic, null, "no key"));
        producer.flush();
        InvalidRecordException refused = Check.fails(InvalidRecordException.class, keyless::get);
        Check.that(refused.getMessage().contains("Compacted topic cannot accept message without key"),
            "the reason names the missing key: " + refused.getMessage());
        // The whole batch is refused; the record beside it is told so.
        Check.fails(org.apache.kafka.common.KafkaException.class, good::get);
        producer.send(new ProducerRecord<>(topic, "key", "again")).get();
        Check.equal(List.of("again"), Cluster.values(cluster.readAll(topic)), "what is stored");
    }

    private static void appendTime(Cluster cluster) throws Exception {
        String topic = cluster.topic(1, "message.timestamp.type", "LogAppendTime");
        KafkaProducer<String, String> producer = cluster.producer("compression.type", "gzip");
        long before = System.currentTimeMillis();
        RecordMetadata metadata = producer.send(new ProducerRecord<>(topic, 0, 1_000L, "key", "value")).get();
        Check.that(metadata.timestamp() >= before - 1000, "append time is answered: " + metadata.timestamp());
        ConsumerRecord<String, String> record = cluster.readAll(topic).get(0);
        Check.equal(TimestampType.LOG_APPEND_TIME, record.timestampType(), "kind of timestamp");
        Check.equal(metadata.timestamp(), record.timestamp(), "timestamp");
    }

    private static void moreInSyncThanReplicas(Cluster cluster) throws Exception {
        String topic = cluster.topic(1, "min.insync.replicas", "2");
        KafkaProducer<String, String> producer = cluster.producer("acks", "all");
        Check.equal(0L, producer.send(new ProducerRecord<>(topic, "value")).get().offset(), "offset");
    }

    private ProducerCases() {}
}
