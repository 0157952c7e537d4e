import com.sun.management.OperatingSystemMXBean;
import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.ParallelStreamProcessor;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Confluent's Parallel Consumer, by key, with the settings that it has by default: asynchronous commits, a thread for each
 * handler that runs. Arguments: bootstrap, topic, records, least and most milliseconds of a handler, handlers at once.
 * Prints what it measured as JSON: from the first record that comes to the last one that is done.
 */
public final class ParallelConsumerBench {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private static volatile long startedNanos;
  private static volatile long startedCpuNanos;

  public static void main(String[] arguments) throws Exception {
    int records = Integer.parseInt(arguments[2]);
    double minMs = Double.parseDouble(arguments[3]);
    double maxMs = Double.parseDouble(arguments[4]);
    var options =
        ParallelConsumerOptions.<byte[], byte[]>builder()
            .ordering(ProcessingOrder.KEY)
            .maxConcurrency(Integer.parseInt(arguments[5]))
            .consumer(new KafkaConsumer<>(consumerProperties(arguments[0])))
            .build();
    var processor = ParallelStreamProcessor.createEosStreamProcessor(options);
    processor.subscribe(List.of(arguments[1]));
    var begun = new AtomicInteger();
    var ended = new AtomicInteger();
    var done = new CountDownLatch(1);
    processor.poll(
        context -> {
          if (begun.getAndIncrement() == 0) {
            startedCpuNanos = SYSTEM.getProcessCpuTime();
            startedNanos = System.nanoTime();
          }
          if (maxMs > 0) handle(minMs, maxMs);
          if (ended.incrementAndGet() == records) done.countDown();
        });
    done.await();
    double seconds = (System.nanoTime() - startedNanos) / 1e9;
    double cpuSeconds = (SYSTEM.getProcessCpuTime() - startedCpuNanos) / 1e9;
    System.out.printf(
        "{\"rate\":%f,\"cpuSecondsPerMillion\":%f,\"peakMb\":%f}%n",
        records / seconds, cpuSeconds * 1e6 / records, peakMb());
    System.out.flush();
    Runtime.getRuntime().halt(0);
  }

  private static void handle(double minMs, double maxMs) {
    double ms = minMs + ThreadLocalRandom.current().nextDouble() * (maxMs - minMs);
    try {
      Thread.sleep((long) ms, (int) ((ms % 1) * 1e6));
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    }
  }

  private static Properties consumerProperties(String bootstrap) {
    var properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("group.id", "bench-" + ProcessHandle.current().pid());
    properties.put("enable.auto.commit", "false");
    properties.put("auto.offset.reset", "earliest");
    properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
    properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
    return properties;
  }

  /** The most memory that was resident, as Linux counts it. */
  private static double peakMb() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) return Double.parseDouble(line.replaceAll("\\D", "")) / 1024;
    }
    return Double.NaN;
  }
}
