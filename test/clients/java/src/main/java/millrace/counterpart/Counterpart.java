package millrace.counterpart;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Java's clients, told what to do: `number command argument…` a line, separated by blanks. What comes of it
 * is printed as lines that begin with the number; the last one is `number OK …` or `number ERROR reason`. Bytes
 * are written in Base64, null as `-`, nothing as `=`; a member of a group tells what happens to it as it happens.
 *
 * Usage: Counterpart bootstrap-servers
 */
public final class Counterpart {
    private final String bootstrap;
    private final Map<String, Member> members = new ConcurrentHashMap<>();

    private Counterpart(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] arguments) throws Exception {
        Counterpart counterpart = new Counterpart(arguments[0]);
        ExecutorService pool = Executors.newCachedThreadPool();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split(" ");
            pool.submit(() -> counterpart.run(words));
        }
        Runtime.getRuntime().halt(0);
    }

    static synchronized void say(String line) {
        System.out.println(line);
    }

    static String text(byte[] bytes) {
        if (bytes == null) return "-";
        return bytes.length == 0 ? "=" : Base64.getEncoder().encodeToString(bytes);
    }

    static byte[] bytes(String text) {
        if (text.equals("-")) return null;
        return text.equals("=") ? new byte[0] : Base64.getDecoder().decode(text);
    }

    /** One record: partition, offset, key, value, and names and values of its headers. */
    static String told(ConsumerRecord<byte[], byte[]> record) {
        StringBuilder told = new StringBuilder("RECORD " + record.partition() + " " + record.offset());
        told.append(" ").append(text(record.key())).append(" ").append(text(record.value()));
        for (Header header : record.headers()) {
            told.append(" ").append(text(header.key().getBytes())).append(" ").append(text(header.value()));
        }
        return told.toString();
    }

    Map<String, Object> configuration(Object... more) {
        Map<String, Object> configuration = new HashMap<>();
        configuration.put("bootstrap.servers", bootstrap);
        configuration.put("enable.metrics.push", false);
        for (int i = 0; i < more.length; i += 2) configuration.put((String) more[i], more[i + 1]);
        return configuration;
    }

    KafkaConsumer<byte[], byte[]> consumer(Object... more) {
        return new KafkaConsumer<>(configuration(more), new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private void run(String[] words) {
        String number = words[0];
        try {
            say(number + " OK " + answer(number, words));
        } catch (Throwable error) {
            say(number + " ERROR " + error.toString().replace('\n', ' '));
        }
    }

    private String answer(String number, String[] words) throws Exception {
        return switch (words[1]) {
            case "write" -> write(words);
            case "read" -> read(number, words[2], Integer.parseInt(words[3]));
            case "commit" -> commit(words[2], partition(words), Long.parseLong(words[5]), words[6]);
            case "committed" -> committed(words[2], partition(words));
            case "join" -> {
                members.put(words[2], new Member(this, number, words[3], words[4], words[5], words[6]));
                yield "";
            }
            case "leave" -> {
                members.remove(words[2]).leave();
                yield "";
            }
            default -> throw new IllegalArgumentException(words[1]);
        };
    }

    private static TopicPartition partition(String[] words) {
        return new TopicPartition(words[3], Integer.parseInt(words[4]));
    }

    /** write topic codec outcome partition key value header…: outcome is plain, commit or abort. */
    private String write(String[] words) throws Exception {
        Map<String, Object> configuration = configuration("compression.type", words[3]);
        boolean isPlain = words[4].equals("plain");
        if (!isPlain) configuration.put("transactional.id", "java-" + System.nanoTime());
        Integer partition = words[5].equals("-") ? null : Integer.valueOf(words[5]);
        ByteArraySerializer serializer = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(configuration, serializer, serializer)) {
            if (!isPlain) producer.initTransactions();
            if (!isPlain) producer.beginTransaction();
            ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(words[2], partition, bytes(words[6]), bytes(words[7]));
            for (int i = 8; i < words.length; i += 2) {
                record.headers().add(new String(bytes(words[i])), bytes(words[i + 1]));
            }
            var written = producer.send(record).get();
            if (words[4].equals("commit")) producer.commitTransaction();
            if (words[4].equals("abort")) producer.abortTransaction();
            return written.partition() + " " + written.offset();
        }
    }

    private String read(String number, String topic, int count) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("isolation.level", "read_committed")) {
            List<TopicPartition> partitions = new ArrayList<>();
            consumer.partitionsFor(topic).forEach(one -> partitions.add(new TopicPartition(topic, one.partition())));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            int read = 0;
            while (read < count) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(java.time.Duration.ofMillis(100))) {
                    say(number + " " + told(record));
                    read += 1;
                }
            }
            return Integer.toString(read);
        }
    }

    private String commit(String group, TopicPartition partition, long offset, String metadata) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", group)) {
            consumer.assign(List.of(partition));
            consumer.commitSync(Map.of(partition, new OffsetAndMetadata(offset, new String(bytes(metadata)))));
            return "";
        }
    }

    private String committed(String group, TopicPartition partition) {
        try (KafkaConsumer<byte[], byte[]> consumer = consumer("group.id", group)) {
            OffsetAndMetadata found = consumer.committed(java.util.Set.of(partition)).get(partition);
            return found == null ? "none" : found.offset() + " " + text(found.metadata().getBytes());
        }
    }
}
