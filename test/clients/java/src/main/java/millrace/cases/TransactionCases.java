package millrace.cases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;

/** Transactions of one producer, and what readers see of them. */
final class TransactionCases {
    static void addTo(Suite suite) {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            suite.add("transaction, codec " + codec + ": read_committed sees what was committed, in order",
                cluster -> committedOnly(cluster, codec));
        }
        suite.add("transaction: interleaved with others and with plain records", TransactionCases::interleaved);
        suite.add("transaction: over several partitions it is all or nothing", TransactionCases::severalPartitions);
        suite.add("transaction: a second producer of the id fences the first and aborts its transaction",
            TransactionCases::fencing);
        suite.add("transaction: the last stable offset stops read_committed", TransactionCases::lastStableOffset);
        suite.add("transaction: a waiting read_committed fetch is released by the commit", TransactionCases::released);
        suite.add("transaction: offsets are committed with it, or not at all", TransactionCases::offsets);
        suite.add("transaction: one that takes too long is aborted by the coordinator", TransactionCases::timeout);
        suite.add("transaction: an empty one commits and aborts", TransactionCases::empty);
        suite.add("transaction: a refused record aborts, and the next one works", TransactionCases::refusedRecord);
    }

    private static void committedOnly(Cluster cluster, String codec) throws Exception {
        String topic = cluster.topic(1);
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"), "compression.type", codec);
        List<String> expected = new ArrayList<>();
        for (int transaction = 0; transaction < 12; transaction++) {
            boolean commit = transaction % 3 != 1;
            producer.beginTransaction();
            for (int i = 0; i < 10; i++) {
                String value = "value-" + transaction + "-" + i;
                producer.send(new ProducerRecord<>(topic, "key", value));
                if (commit) expected.add(value);
            }
            if (commit) {
                producer.commitTransaction();
            } else {
                producer.flush();
                producer.abortTransaction();
            }
        }
        Check.equal(expected, Cluster.values(cluster.readAll(topic, "isolation.level", "read_committed")), "committed");
        Check.equal(120, cluster.readAll(topic).size(), "records with read_uncommitted");
    }

    private static void interleaved(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        KafkaProducer<String, String> plain = cluster.producer();
        KafkaProducer<String, String> one = cluster.transactional(Cluster.name("tx"));
        KafkaProducer<String, String> two = cluster.transactional(Cluster.name("tx"));
        one.beginTransaction();
        two.beginTransaction();
        one.send(new ProducerRecord<>(topic, "aborted 1")).get();
        plain.send(new ProducerRecord<>(topic, "plain 1")).get();
        two.send(new ProducerRecord<>(topic, "committed 1")).get();
        one.send(new ProducerRecord<>(topic, "aborted 2")).get();
        two.commitTransaction();
        plain.send(new ProducerRecord<>(topic, "plain 2")).get();
        one.abortTransaction();
        one.beginTransaction();
        one.send(new ProducerRecord<>(topic, "committed 2")).get();
        one.commitTransaction();
        Check.equal(List.of("plain 1", "committed 1", "plain 2", "committed 2"),
            Cluster.values(cluster.readAll(topic, "isolation.level", "read_committed")), "committed");
    }

    private static void severalPartitions(Cluster cluster) throws Exception {
        String topic = cluster.topic(5);
        String other = cluster.topic(2);
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"));
        for (String outcome : List.of("aborted", "committed")) {
            producer.beginTransaction();
            for (int i = 0; i < 5; i++) producer.send(new ProducerRecord<>(topic, i, "key", outcome));
            for (int i = 0; i < 2; i++) producer.send(new ProducerRecord<>(other, i, "key", outcome));
            producer.flush();
            if (outcome.equals("committed")) producer.commitTransaction();
            else producer.abortTransaction();
        }
        var seen = new ArrayList<>(cluster.readAll(topic, "isolation.level", "read_committed"));
        seen.addAll(cluster.readAll(other, "isolation.level", "read_committed"));
        Check.equal(7, seen.size(), "records");
        for (ConsumerRecord<String, String> record : seen) Check.equal("committed", record.value(), "value");
    }

    private static void fencing(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String id = Cluster.name("tx");
        KafkaProducer<String, String> first = cluster.transactional(id);
        first.beginTransaction();
        first.send(new ProducerRecord<>(topic, "of the first")).get();
        KafkaProducer<String, String> second = cluster.transactional(id);
        second.beginTransaction();
        second.send(new ProducerRecord<>(topic, "of the second")).get();
        second.commitTransaction();
        KafkaException fenced = Check.fails(KafkaException.class, () -> {
            first.send(new ProducerRecord<>(topic, "too late"));
            first.commitTransaction();
            return null;
        });
        Check.that(isFencing(fenced), "the first is fenced: " + fenced);
        Check.equal(List.of("of the second"),
            Cluster.values(cluster.readAll(topic, "isolation.level", "read_committed")), "committed");
    }

    private static boolean isFencing(Throwable problem) {
        for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
            if (cause instanceof ProducerFencedException || cause instanceof InvalidProducerEpochException) return true;
        }
        return false;
    }

    private static void lastStableOffset(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaProducer<String, String> plain = cluster.producer();
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"));
        plain.send(new ProducerRecord<>(topic, "before")).get();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "open")).get();
        plain.send(new ProducerRecord<>(topic, "behind")).get();
        KafkaConsumer<String, String> committed = cluster.consumer(null, "isolation.level", "read_committed");
        KafkaConsumer<String, String> uncommitted = cluster.consumer(null);
        Check.equal(1L, committed.endOffsets(Set.of(partition)).get(partition), "end for read_committed");
        Check.equal(3L, uncommitted.endOffsets(Set.of(partition)).get(partition), "end for read_uncommitted");
        committed.assign(List.of(partition));
        Check.equal(List.of("before"), values(committed, 1, topic), "before the commit");
        Check.equal(0, committed.poll(Duration.ofMillis(300)).count(), "records behind an open transaction");
        producer.commitTransaction();
        Check.equal(List.of("open", "behind"), values(committed, 2, topic), "after the commit");
    }

    private static void released(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"));
        KafkaConsumer<String, String> consumer = cluster.consumer(null,
            "isolation.level", "read_committed", "fetch.max.wait.ms", 90_000, "request.timeout.ms", 100_000);
        consumer.assign(List.of(new TopicPartition(topic, 0)));
        consumer.poll(Duration.ofMillis(200));
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "waited for")).get();
        consumer.poll(Duration.ofMillis(200));
        producer.commitTransaction();
        // The fetch would wait far longer than a case may take: only the marker can release it.
        Check.equal(List.of("waited for"), values(consumer, 1, topic), "what was read");
    }

    private static List<String> values(KafkaConsumer<String, String> consumer, int count, String topic) throws Exception {
        List<String> values = new ArrayList<>();
        Check.until(count + " records of " + topic, () -> {
            consumer.poll(Duration.ofMillis(50)).forEach(record -> values.add(record.value()));
            return values.size() >= count;
        });
        return values;
    }

    private static void offsets(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String group = Cluster.name("group");
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"));
        KafkaConsumer<String, String> consumer = cluster.consumer(group);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "value"));
        producer.sendOffsetsToTransaction(
            Map.of(partition, new OffsetAndMetadata(5, "with it")), new ConsumerGroupMetadata(group));
        Check.that(!committedNow(cluster, group).containsKey(partition), "an open transaction's offsets are not visible");
        producer.abortTransaction();
        Check.equal(null, consumer.committed(Set.of(partition)).get(partition), "offset after the abort");
        producer.beginTransaction();
        producer.sendOffsetsToTransaction(
            Map.of(partition, new OffsetAndMetadata(7, "with it")), new ConsumerGroupMetadata(group));
        producer.commitTransaction();
        Check.equal(new OffsetAndMetadata(7, "with it"), consumer.committed(Set.of(partition)).get(partition),
            "offset after the commit");
    }

    private static Map<TopicPartition, OffsetAndMetadata> committedNow(Cluster cluster, String group) throws Exception {
        return cluster.admin().listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    }

    private static void timeout(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        KafkaProducer<String, String> producer =
            cluster.transactional(Cluster.name("tx"), "transaction.timeout.ms", 1000);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "too slow")).get();
        KafkaConsumer<String, String> consumer = cluster.consumer(null, "isolation.level", "read_committed");
        TopicPartition partition = new TopicPartition(topic, 0);
        Check.until("the coordinator aborted it", () -> consumer.endOffsets(Set.of(partition)).get(partition) == 2);
        KafkaException problem = Check.fails(KafkaException.class, () -> {
            producer.commitTransaction();
            return null;
        });
        boolean known = isFencing(problem);
        for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
            known |= cause instanceof InvalidTxnStateException;
        }
        Check.that(known, "the producer is told: " + problem);
        Check.equal(0, cluster.readAll(topic, "isolation.level", "read_committed").size(), "committed records");
    }

    private static void empty(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"));
        for (int i = 0; i < 3; i++) {
            producer.beginTransaction();
            producer.commitTransaction();
            producer.beginTransaction();
            producer.abortTransaction();
        }
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "value"));
        producer.commitTransaction();
        Check.equal(1, cluster.readAll(topic, "isolation.level", "read_committed").size(), "committed records");
    }

    private static void refusedRecord(Cluster cluster) throws Exception {
        String topic = cluster.topic(1, "max.message.bytes", "1000");
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"));
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "small")).get();
        Check.fails(RecordTooLargeException.class,
            () -> producer.send(new ProducerRecord<>(topic, "x".repeat(2000))).get());
        Check.fails(KafkaException.class, () -> {
            producer.commitTransaction();
            return null;
        });
        producer.abortTransaction();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "next"));
        producer.commitTransaction();
        Check.equal(List.of("next"), Cluster.values(cluster.readAll(topic, "isolation.level", "read_committed")), "committed");
    }

    private TransactionCases() {}
}
