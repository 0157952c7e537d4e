package millrace.cases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Consumers that choose their partitions themselves: positions, times, commits. */
final class ConsumerCases {
    static void addTo(Suite suite) {
        suite.add("consumer: seek goes to any offset, also within a batch", ConsumerCases::seek);
        suite.add("consumer: offsetsForTimes is exact to the record, for every codec", ConsumerCases::offsetsForTimes);
        suite.add("consumer: beginningOffsets and endOffsets", ConsumerCases::ends);
        suite.add("consumer: auto.offset.reset earliest, latest and none", ConsumerCases::reset);
        suite.add("consumer: offsets deleted under it count as out of range", ConsumerCases::deletedUnderIt);
        suite.add("consumer: a commit keeps metadata and leader epoch", ConsumerCases::commitMetadata);
        suite.add("consumer: of a new group has no committed offset", ConsumerCases::newGroup);
        suite.add("consumer: a record larger than the fetch limits is still delivered", ConsumerCases::largerThanLimits);
        suite.add("consumer: fetch.min.bytes holds the answer back, new records release it", ConsumerCases::longPoll);
        suite.add("consumer: paused partitions are left alone", ConsumerCases::paused);
        suite.add("consumer: many partitions through one fetch session", ConsumerCases::manyPartitions);
        suite.add("consumer: a recreated topic is read from its beginning", ConsumerCases::recreated);
        suite.add("consumer: metadata of a new topic and of none", ConsumerCases::metadata);
    }

    private static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) throws Exception {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        Check.until(count + " records, so far " + records.size(), () -> {
            consumer.poll(Duration.ofMillis(50)).forEach(records::add);
            return records.size() >= count;
        });
        return records;
    }

    private static void seek(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        cluster.fill(topic, 200);
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaConsumer<String, String> consumer = cluster.consumer(null);
        consumer.assign(List.of(partition));
        for (long offset : new long[] {0, 1, 57, 199, 100}) {
            consumer.seek(partition, offset);
            ConsumerRecord<String, String> first = read(consumer, 1).get(0);
            Check.equal(offset, first.offset(), "offset");
            Check.equal("value-" + offset, first.value(), "value");
        }
        consumer.seekToEnd(List.of(partition));
        Check.equal(200L, consumer.position(partition), "position at the end");
        consumer.seekToBeginning(List.of(partition));
        Check.equal(0L, consumer.position(partition), "position at the beginning");
    }

    private static void offsetsForTimes(Cluster cluster) throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String topic = cluster.topic(1);
            TopicPartition partition = new TopicPartition(topic, 0);
            KafkaProducer<String, String> producer = cluster.producer("compression.type", codec, "linger.ms", 50);
            for (int i = 0; i < 50; i++) producer.send(new ProducerRecord<>(topic, 0, 1_700_000_000_000L + i * 10, "key", "" + i));
            producer.flush();
            KafkaConsumer<String, String> consumer = cluster.consumer(null);
            for (int i : new int[] {0, 1, 17, 49}) {
                OffsetAndTimestamp found = consumer
                    .offsetsForTimes(Map.of(partition, 1_700_000_000_000L + i * 10 - 5)).get(partition);
                Check.equal((long) i, found.offset(), codec + ": offset");
                Check.equal(1_700_000_000_000L + i * 10, found.timestamp(), codec + ": timestamp");
            }
            Check.equal(null, consumer.offsetsForTimes(Map.of(partition, 1_800_000_000_000L)).get(partition),
                codec + ": a time after all records");
        }
    }

    private static void ends(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        TopicPartition partition = new TopicPartition(topic, 0);
        TopicPartition empty = new TopicPartition(topic, 1);
        KafkaProducer<String, String> producer = cluster.producer();
        for (int i = 0; i < 10; i++) producer.send(new ProducerRecord<>(topic, 0, "key", "" + i)).get();
        cluster.admin().deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(4))).all().get();
        KafkaConsumer<String, String> consumer = cluster.consumer(null);
        Check.equal(Map.of(partition, 4L, empty, 0L), consumer.beginningOffsets(Set.of(partition, empty)), "beginnings");
        Check.equal(Map.of(partition, 10L, empty, 0L), consumer.endOffsets(Set.of(partition, empty)), "ends");
    }

    private static void reset(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        cluster.fill(topic, 10);
        for (String reset : List.of("earliest", "latest", "none")) {
            KafkaConsumer<String, String> consumer = cluster.consumer(Cluster.name("group"), "auto.offset.reset", reset);
            consumer.assign(List.of(partition));
            if (reset.equals("none")) {
                Check.fails(NoOffsetForPartitionException.class, () -> consumer.poll(Duration.ofSeconds(20)));
                consumer.seek(partition, 1000);
                Check.fails(OffsetOutOfRangeException.class, () -> read(consumer, 1));
            } else {
                Check.equal(reset.equals("earliest") ? 0L : 10L, consumer.position(partition), reset);
                consumer.seek(partition, 1000);
                Check.until("the position is reset", () -> {
                    consumer.poll(Duration.ofMillis(50));
                    return consumer.position(partition) == 10;
                });
            }
        }
    }

    private static void deletedUnderIt(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        cluster.fill(topic, 20);
        cluster.admin().deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(10))).all().get();
        KafkaConsumer<String, String> consumer = cluster.consumer(null);
        consumer.assign(List.of(partition));
        consumer.seek(partition, 3);
        Check.equal(10L, read(consumer, 10).get(0).offset(), "first offset left");
    }

    private static void commitMetadata(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaConsumer<String, String> consumer = cluster.consumer(Cluster.name("group"));
        consumer.assign(List.of(partition));
        OffsetAndMetadata committed = new OffsetAndMetadata(3, Optional.of(0), "some metadata: äöü");
        consumer.commitSync(Map.of(partition, committed));
        Check.equal(committed, consumer.committed(Set.of(partition)).get(partition), "what was committed");
        consumer.commitSync(Map.of(partition, new OffsetAndMetadata(2)));
        Check.equal(2L, consumer.committed(Set.of(partition)).get(partition).offset(), "a lower offset");
    }

    private static void newGroup(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        KafkaConsumer<String, String> consumer = cluster.consumer(Cluster.name("group"));
        TopicPartition partition = new TopicPartition(topic, 0);
        var committed = consumer.committed(Set.of(partition));
        Check.equal(1, committed.size(), "partitions answered");
        Check.equal(null, committed.get(partition), "committed offset");
    }

    private static void largerThanLimits(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        KafkaProducer<String, String> producer = cluster.producer();
        for (int i = 0; i < 5; i++) producer.send(new ProducerRecord<>(topic, i + "x".repeat(50_000))).get();
        KafkaConsumer<String, String> consumer =
            cluster.consumer(null, "max.partition.fetch.bytes", 1000, "fetch.max.bytes", 1000);
        consumer.assign(List.of(new TopicPartition(topic, 0)));
        List<ConsumerRecord<String, String>> records = read(consumer, 5);
        Check.equal(50_001, records.get(4).value().length(), "length of the last");
    }

    private static void longPoll(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        KafkaConsumer<String, String> consumer = cluster.consumer(null,
            "fetch.min.bytes", 5000, "fetch.max.wait.ms", 90_000, "request.timeout.ms", 100_000);
        consumer.assign(List.of(new TopicPartition(topic, 0)));
        KafkaProducer<String, String> producer = cluster.producer();
        producer.send(new ProducerRecord<>(topic, "small")).get();
        Check.equal(0, consumer.poll(Duration.ofMillis(500)).count(), "records before there are enough");
        producer.send(new ProducerRecord<>(topic, "x".repeat(6000))).get();
        // The fetch would wait far longer than a case may take: only enough bytes can release it.
        Check.equal(2, read(consumer, 2).size(), "records");
    }

    private static void paused(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
        KafkaProducer<String, String> producer = cluster.producer();
        for (int i = 0; i < 20; i++) producer.send(new ProducerRecord<>(topic, i % 2, "key", "" + i)).get();
        KafkaConsumer<String, String> consumer = cluster.consumer(null);
        consumer.assign(partitions);
        consumer.pause(List.of(partitions.get(1)));
        Check.that(read(consumer, 10).stream().allMatch(record -> record.partition() == 0), "only partition 0");
        consumer.resume(List.of(partitions.get(1)));
        Check.that(read(consumer, 10).stream().allMatch(record -> record.partition() == 1), "then partition 1");
    }

    private static void manyPartitions(Cluster cluster) throws Exception {
        String topic = cluster.topic(40);
        KafkaProducer<String, String> producer = cluster.producer();
        KafkaConsumer<String, String> consumer = cluster.consumer(null);
        List<TopicPartition> partitions = new ArrayList<>();
        for (int i = 0; i < 40; i++) partitions.add(new TopicPartition(topic, i));
        consumer.assign(partitions);
        Set<String> seen = new HashSet<>();
        for (int round = 0; round < 5; round++) {
            for (int i = round; i < 40; i += 5) producer.send(new ProducerRecord<>(topic, i, "key", round + "-" + i));
            producer.flush();
            read(consumer, 8).forEach(record -> seen.add(record.value()));
            // Dropping and adding partitions changes the session.
            consumer.assign(partitions.subList(0, 20 + round));
            consumer.assign(partitions);
            consumer.seekToEnd(partitions);
            partitions.forEach(consumer::position);
        }
        Check.equal(40, seen.size(), "different records");
    }

    private static void recreated(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        cluster.fill(topic, 5);
        KafkaConsumer<String, String> consumer =
            cluster.consumer(null, "metadata.max.age.ms", 300, "allow.auto.create.topics", false);
        consumer.assign(List.of(new TopicPartition(topic, 0)));
        Check.equal(5, read(consumer, 5).size(), "records of the first topic");
        cluster.admin().deleteTopics(List.of(topic)).all().get();
        Check.until("the topic is gone", () -> !cluster.admin().listTopics().names().get().contains(topic));
        cluster.topicNamed(topic, 1);
        cluster.producer().send(new ProducerRecord<>(topic, "of the second topic")).get();
        Check.equal("of the second topic", read(consumer, 1).get(0).value(), "record of the second topic");
    }

    private static void metadata(Cluster cluster) throws Exception {
        String topic = cluster.topic(3);
        KafkaConsumer<String, String> consumer = cluster.consumer(null, "allow.auto.create.topics", false);
        Check.equal(3, consumer.partitionsFor(topic).size(), "partitions");
        Check.that(consumer.listTopics().containsKey(topic), "the topic is listed");
        var none = consumer.partitionsFor(Cluster.name("missing"), Duration.ofSeconds(5));
        Check.that(none == null || none.isEmpty(), "a topic that is missing has no partitions");
    }

    private ConsumerCases() {}
}
