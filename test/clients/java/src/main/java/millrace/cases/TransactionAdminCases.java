package millrace.cases;

import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TransactionalIdNotFoundException;

/** The administration client: transactions and producers. */
final class TransactionAdminCases {
    static void addTo(Suite suite) {
        suite.add("admin: transactions are listed and described while they go on and after", TransactionAdminCases::describe);
        suite.add("admin: transactions are filtered by state, producer and duration", TransactionAdminCases::filter);
        suite.add("admin: an unknown transactional id is not found", TransactionAdminCases::unknown);
        suite.add("admin: the active producers of a partition are described", TransactionAdminCases::producers);
        suite.add("admin: producers are fenced", TransactionAdminCases::fence);
        suite.add("admin: a transaction is aborted by force", TransactionAdminCases::abort);
    }

    private static TransactionDescription description(Cluster cluster, String id) throws Exception {
        return cluster.admin().describeTransactions(List.of(id)).all().get().get(id);
    }

    private static void describe(Cluster cluster) throws Exception {
        String topic = cluster.topic(2);
        String id = Cluster.name("tx");
        KafkaProducer<String, String> producer = cluster.transactional(id, "transaction.timeout.ms", 45_678);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, 1, "key", "value")).get();
        TransactionDescription open = description(cluster, id);
        Check.equal(TransactionState.ONGOING, open.state(), "state");
        Check.equal(Set.of(new TopicPartition(topic, 1)), open.topicPartitions(), "partitions");
        Check.equal(45_678L, open.transactionTimeoutMs(), "timeout");
        Check.that(open.transactionStartTimeMs().isPresent(), "it has a start");
        producer.commitTransaction();
        Check.until("it is complete", () -> description(cluster, id).state() == TransactionState.COMPLETE_COMMIT);
        Check.equal(Set.of(), description(cluster, id).topicPartitions(), "partitions when it is complete");
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, 1, "key", "value")).get();
        producer.abortTransaction();
        Check.until("it is aborted", () -> description(cluster, id).state() == TransactionState.COMPLETE_ABORT);
    }

    private static TransactionListing listed(Admin admin, String id, ListTransactionsOptions options) throws Exception {
        return admin.listTransactions(options).all().get().stream()
            .filter(listing -> listing.transactionalId().equals(id)).findAny().orElse(null);
    }

    private static void filter(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String id = Cluster.name("tx");
        KafkaProducer<String, String> producer = cluster.transactional(id);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "value")).get();
        Admin admin = cluster.admin();
        TransactionListing listing = listed(admin, id, new ListTransactionsOptions());
        Check.equal(TransactionState.ONGOING, listing.state(), "state");
        var ongoing = new ListTransactionsOptions().filterStates(Set.of(TransactionState.ONGOING));
        Check.that(listed(admin, id, ongoing) != null, "listed as ongoing");
        var complete = new ListTransactionsOptions().filterStates(Set.of(TransactionState.COMPLETE_COMMIT));
        Check.that(listed(admin, id, complete) == null, "not listed as complete");
        var own = new ListTransactionsOptions().filterProducerIds(Set.of(listing.producerId()));
        Check.that(listed(admin, id, own) != null, "listed by its producer");
        var other = new ListTransactionsOptions().filterProducerIds(Set.of(listing.producerId() + 1_000_000));
        Check.that(listed(admin, id, other) == null, "not listed by another producer");
        var old = new ListTransactionsOptions().filterOnDuration(3_600_000);
        Check.that(listed(admin, id, old) == null, "not listed as an hour old");
        producer.abortTransaction();
    }

    private static void unknown(Cluster cluster) throws Exception {
        Check.fails(TransactionalIdNotFoundException.class, () -> description(cluster, Cluster.name("unknown")));
    }

    private static void producers(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        cluster.producer().send(new ProducerRecord<>(topic, "idempotent")).get();
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"));
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "in a transaction")).get();
        List<ProducerState> states = cluster.admin().describeProducers(List.of(partition))
            .partitionResult(partition).get().activeProducers();
        Check.equal(2, states.size(), "active producers");
        Check.equal(1L, states.stream().filter(state -> state.currentTransactionStartOffset().isPresent()).count(),
            "producers in a transaction");
        ProducerState open = states.stream().filter(state -> state.currentTransactionStartOffset().isPresent()).findAny().get();
        Check.equal(1L, open.currentTransactionStartOffset().getAsLong(), "start of the transaction");
        Check.equal(0, open.lastSequence(), "last sequence");
        producer.commitTransaction();
        Check.until("no transaction is open", () -> cluster.admin().describeProducers(List.of(partition))
            .partitionResult(partition).get().activeProducers().stream()
            .noneMatch(state -> state.currentTransactionStartOffset().isPresent()));
    }

    private static void fence(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        String id = Cluster.name("tx");
        KafkaProducer<String, String> producer = cluster.transactional(id);
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "value")).get();
        cluster.admin().fenceProducers(List.of(id)).all().get();
        Check.fails(KafkaException.class, () -> {
            producer.commitTransaction();
            return null;
        });
        Check.equal(0, cluster.readAll(topic, "isolation.level", "read_committed").size(), "committed records");
    }

    private static void abort(Cluster cluster) throws Exception {
        String topic = cluster.topic(1);
        TopicPartition partition = new TopicPartition(topic, 0);
        KafkaProducer<String, String> producer = cluster.transactional(Cluster.name("tx"));
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, "hanging")).get();
        ProducerState state = cluster.admin().describeProducers(List.of(partition))
            .partitionResult(partition).get().activeProducers().get(0);
        cluster.admin().abortTransaction(new AbortTransactionSpec(partition, state.producerId(),
            (short) state.producerEpoch(), state.coordinatorEpoch().orElse(0))).all().get();
        KafkaConsumer<String, String> consumer = cluster.consumer(null, "isolation.level", "read_committed");
        Check.until("the partition is stable",
            () -> consumer.endOffsets(Set.of(partition)).get(partition) == 2);
        Check.equal(0, cluster.readAll(topic, "isolation.level", "read_committed").size(), "committed records");
    }

    private TransactionAdminCases() {}
}
