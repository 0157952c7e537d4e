package millrace.cases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;

/**
 * A member of a consumer group that polls in a thread of its own and tells what it has. All fields
 * are read by other threads.
 */
final class Member implements AutoCloseable {
    final List<ConsumerRecord<String, String>> records = Collections.synchronizedList(new ArrayList<>());
    /** Every set of partitions that was taken away, one entry a callback. */
    final List<Set<TopicPartition>> revocations = Collections.synchronizedList(new ArrayList<>());
    private final KafkaConsumer<String, String> consumer;
    private final Thread thread;
    private volatile Set<TopicPartition> assignment = Set.of();
    private volatile Throwable problem;
    private volatile boolean stopped;

    /** What a member does before it polls: subscribe in some way. */
    interface Subscription {
        void apply(KafkaConsumer<String, String> consumer, ConsumerRebalanceListener listener) throws Exception;
    }

    Member(Cluster cluster, KafkaConsumer<String, String> consumer, Collection<String> topics) {
        this(cluster, consumer, (own, listener) -> own.subscribe(topics, listener));
    }

    Member(Cluster cluster, KafkaConsumer<String, String> consumer, Subscription subscription) {
        this.consumer = consumer;
        this.thread = new Thread(() -> poll(subscription), "member");
        thread.setDaemon(true);
        thread.start();
        cluster.opened(this);
    }

    Set<TopicPartition> assignment() throws Exception {
        if (problem != null) throw new IllegalStateException("a member has failed", problem);
        return assignment;
    }

    Throwable problem() {
        return problem;
    }

    private void poll(Subscription subscription) {
        try {
            subscription.apply(consumer, new ConsumerRebalanceListener() {
                @Override
                public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                    if (!partitions.isEmpty() && !stopped) revocations.add(new HashSet<>(partitions));
                }

                @Override
                public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}
            });
            while (!stopped) {
                consumer.poll(Duration.ofMillis(50)).forEach(records::add);
                assignment = Set.copyOf(consumer.assignment());
                if (!records.isEmpty()) consumer.commitAsync();
            }
        } catch (WakeupException woken) {
            // Told to stop.
        } catch (Throwable failed) {
            problem = failed;
        } finally {
            assignment = Set.of();
            consumer.close();
        }
    }

    /** Leaves the group, unless the member is static. */
    @Override
    public void close() throws Exception {
        stopped = true;
        thread.join(20_000);
    }

    /** Waits until these members together have exactly the partitions, each of them its share. */
    static void untilShared(int partitions, Member... members) throws Exception {
        Check.until(partitions + " partitions are shared by " + members.length + " members", () -> {
            Set<TopicPartition> all = new HashSet<>();
            int sum = 0;
            for (Member member : members) {
                Set<TopicPartition> own = member.assignment();
                if (own.isEmpty() && partitions >= members.length) return false;
                sum += own.size();
                all.addAll(own);
            }
            return sum == partitions && all.size() == partitions;
        });
    }
}
