package millrace.golden;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.UpdateFeaturesOptions;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;

/** What share consumers send. By reflection: the clients of Kafka 3 have none. */
final class DriveShare {
    private final Drive drive;

    DriveShare(Drive drive) {
        this.drive = drive;
    }

    void all(String topic) throws Exception {
        Class<?> type = Class.forName("org.apache.kafka.clients.consumer.KafkaShareConsumer");
        String group = drive.name("share");
        drive.step("enable share groups", () -> {
            try (Admin admin = Admin.create(drive.configuration())) {
                admin.updateFeatures(Map.of("share.version", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)),
                    new UpdateFeaturesOptions()).all().get();
            }
        });
        try (Admin admin = Admin.create(drive.configuration())) {
            admin.incrementalAlterConfigs(Map.of(new ConfigResource(ConfigResource.Type.valueOf("GROUP"), group),
                List.of(new AlterConfigOp(new ConfigEntry("share.auto.offset.reset", "earliest"),
                    AlterConfigOp.OpType.SET)))).all().get();
        }
        Map<String, Object> configuration = drive.configuration("group.id", group);
        try (AutoCloseable consumer = (AutoCloseable) type
                .getConstructor(Map.class, Deserializer.class, Deserializer.class)
                .newInstance(configuration, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            type.getMethod("subscribe", Collection.class).invoke(consumer, List.of(topic));
            Method poll = type.getMethod("poll", Duration.class);
            for (int i = 0; i < 30; i++) poll.invoke(consumer, Duration.ofMillis(100));
            type.getMethod("commitSync").invoke(consumer);
            admin("describeShareGroups", group);
            admin("listShareGroupOffsets", group);
        }
        admin("alterShareGroupOffsets", group, Map.of(new TopicPartition(topic, 0), 1L));
        admin("deleteShareGroupOffsets", group, java.util.Set.of(topic));
        admin("deleteShareGroups", group);
    }

    private void admin(String name, String group, Object... more) {
        drive.step(name, () -> {
            try (Admin admin = Admin.create(drive.configuration())) {
                Object first = group;
                for (Method method : Admin.class.getMethods()) {
                    if (!method.getName().equals(name) || method.getParameterCount() != 1 + more.length) continue;
                    Class<?> wanted = method.getParameterTypes()[0];
                    if (Collection.class.isAssignableFrom(wanted)) first = List.of(group);
                    if (Map.class.isAssignableFrom(wanted)) {
                        Object all = Class.forName("org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec")
                            .getConstructor().newInstance();
                        first = Map.of(group, all);
                    }
                    Object result = more.length == 0 ? method.invoke(admin, first) : method.invoke(admin, first, more[0]);
                    ((KafkaFuture<?>) result.getClass().getMethod("all").invoke(result)).get();
                    return;
                }
                throw new NoSuchMethodException(name);
            }
        });
    }
}
