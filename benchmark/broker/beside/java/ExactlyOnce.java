import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Reads records from one topic and writes them to another, in transactions of 500 with their offsets.
 * `java ExactlyOnce.java BOOTSTRAP FROM TO GROUP RECORDS WARM_UP`; says records per second of those
 * after the first WARM_UP.
 */
final class ExactlyOnce {
  private static final int RECORDS_PER_TRANSACTION = 500;

  private ExactlyOnce() {}

  public static void main(String[] arguments) {
    String bootstrap = arguments[0];
    String from = arguments[1];
    String to = arguments[2];
    String group = arguments[3];
    long wanted = Long.parseLong(arguments[4]);
    long warmUp = Long.parseLong(arguments[5]);
    var producer = new KafkaProducer<>(producing(bootstrap, group), new ByteArraySerializer(), new ByteArraySerializer());
    var consumer = new KafkaConsumer<>(consuming(bootstrap, group), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    producer.initTransactions();
    consumer.subscribe(List.of(from));
    long done = 0;
    long startedAt = 0;
    long counted = 0;
    while (done < wanted) {
      var records = consumer.poll(Duration.ofSeconds(10));
      if (records.isEmpty()) throw new IllegalStateException("nothing to read after " + done);
      if (startedAt == 0 && done >= warmUp) startedAt = System.nanoTime();
      producer.beginTransaction();
      Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
      for (ConsumerRecord<byte[], byte[]> record : records) {
        producer.send(new ProducerRecord<>(to, record.key(), record.value()));
        offsets.put(
            new TopicPartition(record.topic(), record.partition()),
            new OffsetAndMetadata(record.offset() + 1));
      }
      producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
      producer.commitTransaction();
      done += records.count();
      if (startedAt != 0) counted += records.count();
    }
    System.out.printf("%.1f records/sec%n", counted / ((System.nanoTime() - startedAt) / 1e9));
    System.exit(0);
  }

  private static Properties producing(String bootstrap, String id) {
    var properties = new Properties();
    properties.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    properties.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, id);
    properties.put(ProducerConfig.LINGER_MS_CONFIG, "5");
    properties.put(ProducerConfig.BATCH_SIZE_CONFIG, "131072");
    return properties;
  }

  private static Properties consuming(String bootstrap, String group) {
    var properties = new Properties();
    properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    properties.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
    properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, String.valueOf(RECORDS_PER_TRANSACTION));
    return properties;
  }
}
