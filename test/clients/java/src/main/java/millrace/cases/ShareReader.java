package millrace.cases;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A member of a share group. By reflection: the clients of Kafka 3 have none. */
final class ShareReader implements AutoCloseable {
    private static final String TYPE = "org.apache.kafka.clients.consumer.KafkaShareConsumer";

    private final Object consumer;

    /** Joins a group; configuration is given as name, value, name, value… */
    ShareReader(Cluster cluster, String group, String topic, Object... more) throws Exception {
        Map<String, Object> configuration = cluster.configuration(more);
        configuration.put("group.id", group);
        configuration.putIfAbsent("fetch.max.wait.ms", 100);
        Class<?> type = Class.forName(TYPE);
        consumer = type.getConstructor(Map.class, Deserializer.class, Deserializer.class)
            .newInstance(configuration, new StringDeserializer(), new StringDeserializer());
        cluster.opened(this);
        call("subscribe", new Class<?>[] {Collection.class}, List.of(topic));
    }

    /** Ends the case where there are no share groups; switches them on where they are off. */
    static void available(Cluster cluster) throws Exception {
        if (!Cluster.clientsAreOfKafka4()) throw new Skipped("share groups came with Kafka 4");
        Object finalized = cluster.admin().describeFeatures().featureMetadata().get().finalizedFeatures().get("share.version");
        if (finalized != null) return;
        FeatureUpdate on = new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE);
        try {
            cluster.admin().updateFeatures(Map.of("share.version", on), new UpdateFeaturesOptions()).all().get();
        } catch (java.util.concurrent.ExecutionException raced) {
            // Another case was faster.
        }
        Check.until("share groups are on", () -> cluster.admin().describeFeatures().featureMetadata().get()
            .finalizedFeatures().containsKey("share.version"));
    }

    /** A group with settings of its own: name, value, name, value… It begins at the earliest records unless told. */
    static String group(Cluster cluster, String... settings) throws Exception {
        available(cluster);
        String group = Cluster.name("share");
        List<AlterConfigOp> changes = new ArrayList<>();
        changes.add(new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET));
        for (int i = 0; i < settings.length; i += 2) {
            changes.add(new AlterConfigOp(new ConfigEntry(settings[i], settings[i + 1]), AlterConfigOp.OpType.SET));
        }
        ConfigResource resource = new ConfigResource(ConfigResource.Type.valueOf("GROUP"), group);
        for (AlterConfigOp change : changes) {
            cluster.admin().incrementalAlterConfigs(Map.of(resource, List.of(change))).all().get();
        }
        return group;
    }

    @SuppressWarnings("unchecked")
    List<ConsumerRecord<String, String>> poll(long waitMs) throws Exception {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        Object polled = call("poll", new Class<?>[] {Duration.class}, Duration.ofMillis(waitMs));
        ((ConsumerRecords<String, String>) polled).forEach(records::add);
        return records;
    }

    /** Polls once, until there is something. */
    List<ConsumerRecord<String, String>> next() throws Exception {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        Check.until("records come", () -> records.addAll(poll(200)));
        return records;
    }

    /** Polls until there are so many, which are acknowledged on the way if that is implied. */
    List<ConsumerRecord<String, String>> take(int count) throws Exception {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        Check.until(count + " records come", () -> {
            records.addAll(poll(200));
            return records.size() >= count;
        });
        return records;
    }

    /** What is said: ACCEPT, RELEASE or REJECT. */
    void acknowledge(ConsumerRecord<String, String> record, String how) throws Exception {
        Class<?> type = Class.forName("org.apache.kafka.clients.consumer.AcknowledgeType");
        Object chosen = type.getMethod("valueOf", String.class).invoke(null, how);
        call("acknowledge", new Class<?>[] {ConsumerRecord.class, type}, record, chosen);
    }

    /** The errors of the partitions for which there was one. */
    @SuppressWarnings("unchecked")
    List<Throwable> commit() throws Exception {
        Object results = call("commitSync", new Class<?>[0]);
        List<Throwable> errors = new ArrayList<>();
        ((Map<?, Optional<? extends Throwable>>) results).values().forEach(error -> error.ifPresent(errors::add));
        return errors;
    }

    static int deliveries(ConsumerRecord<String, String> record) throws Exception {
        Method method = ConsumerRecord.class.getMethod("deliveryCount");
        return ((Optional<Short>) method.invoke(record)).orElseThrow();
    }

    /** How each record is to be told: value and number of deliveries. */
    static List<String> told(List<ConsumerRecord<String, String>> records) throws Exception {
        List<String> lines = new ArrayList<>();
        for (ConsumerRecord<String, String> record : records) lines.add(record.value() + " " + deliveries(record));
        return lines;
    }

    @Override
    public void close() throws Exception {
        call("close", new Class<?>[] {Duration.class}, Duration.ofSeconds(5));
    }

    private Object call(String name, Class<?>[] types, Object... arguments) throws Exception {
        try {
            return Class.forName(TYPE).getMethod(name, types).invoke(consumer, arguments);
        } catch (InvocationTargetException failed) {
            if (failed.getCause() instanceof Exception problem) throw problem;
            throw failed;
        }
    }
}
