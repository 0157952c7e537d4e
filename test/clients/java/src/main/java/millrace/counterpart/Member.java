package millrace.counterpart;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * A member of a group in a thread of its own, which commits what it has read before it reads on. It prints
 * `number RECORD …` for each record, and `number HAS partition…` when its partitions have changed.
 */
final class Member implements ConsumerRebalanceListener {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final String number;
    private final Thread thread;
    private volatile boolean leaves;

    /** The assignor is the class of one, or `-` for the consumer protocol. */
    Member(Counterpart counterpart, String number, String group, String topic, String assignor, String instance) {
        Map<String, Object> configuration = counterpart.configuration(
            "group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", false);
        if (assignor.equals("-")) {
            configuration.put("group.protocol", "consumer");
        } else {
            configuration.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor);
            configuration.put("heartbeat.interval.ms", 500);
        }
        if (!instance.equals("-")) configuration.put("group.instance.id", instance);
        this.number = number;
        this.consumer = counterpart.consumer(
            configuration.entrySet().stream().flatMap(one -> List.of(one.getKey(), one.getValue()).stream()).toArray());
        consumer.subscribe(List.of(topic), this);
        thread = new Thread(this::read);
        thread.start();
    }

    void leave() throws InterruptedException {
        leaves = true;
        thread.join();
    }

    private void read() {
        try (consumer) {
            while (!leaves) {
                boolean hasRead = false;
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    Counterpart.say(number + " " + Counterpart.told(record));
                    hasRead = true;
                }
                if (hasRead) consumer.commitSync();
            }
        } catch (Throwable error) {
            Counterpart.say(number + " ERROR " + error);
        }
    }

    private void tell() {
        String partitions = consumer.assignment().stream()
            .map(one -> Integer.toString(one.partition())).sorted().collect(Collectors.joining(" "));
        Counterpart.say(number + " HAS " + partitions);
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> added) {
        tell();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
        String partitions = consumer.assignment().stream().filter(one -> !revoked.contains(one))
            .map(one -> Integer.toString(one.partition())).sorted().collect(Collectors.joining(" "));
        Counterpart.say(number + " HAS " + partitions);
    }
}
