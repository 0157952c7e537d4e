package millrace.cases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;

/** Consume, transform, produce in one transaction, while the group changes and workers die. */
final class ExactlyOnceCases {
    private static final int PARTITIONS = 4;
    private static final int RECORDS = 1200;

    static void addTo(Suite suite) {
        for (String kind : List.of("range", "cooperative-sticky", "consumer protocol, uniform")) {
            suite.add("exactly once, " + kind + ": a third worker joins, dies, returns and leaves",
                cluster -> run(cluster, GroupCases.KINDS.get(kind)));
        }
        suite.add("exactly once: a worker of an old generation cannot commit", ExactlyOnceCases::zombie);
    }

    private static void run(Cluster cluster, Object[] configuration) throws Exception {
        String input = cluster.topic(PARTITIONS);
        String output = cluster.topic(PARTITIONS);
        Setting setting = new Setting(cluster, Cluster.name("group"), Cluster.name("worker"), input, output, configuration);
        KafkaProducer<String, String> feed = cluster.producer("linger.ms", 2);
        int sent = send(feed, input, 0, RECORDS / 4);
        Worker one = new Worker(setting, 1);
        Worker two = new Worker(setting, 2);
        Check.until("some output", () -> one.committed + two.committed > 50);
        Worker third = new Worker(setting, 3);
        sent = send(feed, input, sent, RECORDS / 4);
        Check.until("the third worker works", () -> third.committed > 0 || done(sentSoFar(one, two, third), RECORDS / 2));
        third.die();
        sent = send(feed, input, sent, RECORDS / 4);
        Worker returned = new Worker(setting, 3);
        Check.until("most output", () -> sentSoFar(one, two, third, returned) >= RECORDS * 5 / 8);
        returned.leave();
        send(feed, input, sent, RECORDS - sent);
        Check.until("all input is committed", () -> allCommitted(cluster, setting));
        one.leave();
        two.leave();
        checkOutput(cluster, output);
    }

    private static int sentSoFar(Worker... workers) {
        int sum = 0;
        for (Worker worker : workers) sum += worker.committed;
        return sum;
    }

    private static boolean done(int committed, int of) {
        return committed >= of;
    }

    private static int send(KafkaProducer<String, String> feed, String input, int from, int count) {
        for (int i = from; i < from + count; i++) {
            feed.send(new ProducerRecord<>(input, i % PARTITIONS, "key", "" + i / PARTITIONS));
        }
        feed.flush();
        return from + count;
    }

    private static boolean allCommitted(Cluster cluster, Setting setting) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> offsets =
            cluster.admin().listConsumerGroupOffsets(setting.group).partitionsToOffsetAndMetadata().get();
        return offsets.size() == PARTITIONS
            && offsets.values().stream().allMatch(offset -> offset.offset() == RECORDS / PARTITIONS);
    }

    /** Each partition of the output has the numbers of its input, once each and in order. */
    private static void checkOutput(Cluster cluster, String output) {
        List<ConsumerRecord<String, String>> records = cluster.readAll(output, "isolation.level", "read_committed");
        Map<Integer, Integer> next = new HashMap<>();
        for (ConsumerRecord<String, String> record : records) {
            int expected = next.merge(record.partition(), 1, Integer::sum) - 1;
            Check.equal("" + expected, record.value(), "next output of partition " + record.partition());
        }
        Check.equal(RECORDS, records.size(), "records of output");
    }

    private static void zombie(Cluster cluster) throws Exception {
        String input = cluster.topic(1);
        String output = cluster.topic(1);
        String group = Cluster.name("group");
        cluster.fill(input, 10);
        KafkaConsumer<String, String> consumer =
            cluster.consumer(group, "max.poll.interval.ms", 6000, "session.timeout.ms", 6000);
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"));
        consumer.subscribe(List.of(input));
        Check.until("records", () -> !consumer.poll(Duration.ofMillis(100)).isEmpty());
        var old = consumer.groupMetadata();
        consumer.close();
        Member successor = new Member(cluster, cluster.consumer(group), List.of(input));
        Check.until("the successor has read", () -> successor.records.size() == 10);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(output, "of a zombie"));
        Check.fails(KafkaException.class, () -> {
            producer.sendOffsetsToTransaction(Map.of(new TopicPartition(input, 0), new OffsetAndMetadata(3)), old);
            producer.commitTransaction();
            return null;
        });
        producer.abortTransaction();
        Check.equal(0, cluster.readAll(output, "isolation.level", "read_committed").size(), "output");
    }

    private record Setting(Cluster cluster, String group, String id, String input, String output, Object[] consumer) {}

    /** One consume-transform-produce loop in a thread of its own. */
    private static final class Worker {
        volatile int committed;
        private final Setting setting;
        private final String transactionalId;
        private final KafkaConsumer<String, String> consumer;
        private final Thread thread;
        private KafkaProducer<String, String> producer;
        private volatile boolean leaving;
        private volatile boolean dying;

        Worker(Setting setting, int number) {
            this.setting = setting;
            this.transactionalId = setting.id + "-" + number;
            Object[] more = java.util.Arrays.copyOf(setting.consumer, setting.consumer.length + 4);
            more[more.length - 4] = "isolation.level";
            more[more.length - 3] = "read_committed";
            more[more.length - 2] = "max.poll.records";
            more[more.length - 1] = 20;
            this.consumer = setting.cluster.consumer(setting.group, more);
            this.thread = new Thread(this::work, "worker " + number);
            thread.setDaemon(true);
            thread.start();
        }

        /** Stops as a process that dies does: its transaction stays open. */
        void die() throws Exception {
            dying = true;
            thread.join(30_000);
        }

        void leave() throws Exception {
            leaving = true;
            thread.join(30_000);
        }

        private void work() {
            producer = setting.cluster.transactional(transactionalId);
            consumer.subscribe(List.of(setting.input));
            while (!leaving) {
                try {
                    ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(50));
                    if (records.isEmpty() && !dying) continue;
                    if (!pass(records)) return;
                } catch (AuthorizationException fatal) {
                    throw fatal;
                } catch (KafkaException refused) {
                    recover();
                }
            }
            consumer.close();
        }

        /** Passes records on in one transaction; answers false when the worker died in the middle. */
        private boolean pass(ConsumerRecords<String, String> records) {
            producer.beginTransaction();
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            for (ConsumerRecord<String, String> record : records) {
                producer.send(new ProducerRecord<>(setting.output, record.partition(), record.key(), record.value()));
                offsets.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
            }
            if (dying) {
                producer.flush();
                producer.close(Duration.ZERO);
                consumer.close();
                return false;
            }
            producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
            producer.commitTransaction();
            committed += records.count();
            return true;
        }

        /** Aborts, and goes back to what was committed; with a new producer if this one is of no use. */
        private void recover() {
            try {
                producer.abortTransaction();
            } catch (KafkaException | IllegalStateException useless) {
                producer.close(Duration.ZERO);
                producer = setting.cluster.transactional(transactionalId);
            }
            List<TopicPartition> owned = new ArrayList<>(consumer.assignment());
            Map<TopicPartition, OffsetAndMetadata> last = consumer.committed(new java.util.HashSet<>(owned));
            for (TopicPartition partition : owned) {
                OffsetAndMetadata offset = last.get(partition);
                if (offset == null) consumer.seekToBeginning(List.of(partition));
                else consumer.seek(partition, offset);
            }
        }
    }

    private ExactlyOnceCases() {}
}
