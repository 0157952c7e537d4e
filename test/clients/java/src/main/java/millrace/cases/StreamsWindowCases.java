package millrace.cases;

import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.SessionWindows;
import org.apache.kafka.streams.kstream.SlidingWindows;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.kstream.Windowed;

/** Kafka Streams: windows, and results that wait until a window has closed. */
final class StreamsWindowCases {
    static void addTo(Suite suite) {
        suite.add("streams, exactly once: a window's one result comes when it has closed", StreamsWindowCases::suppressed);
        suite.add("streams, exactly once: what waits for the end of a window outlives its instance",
            StreamsWindowCases::suppressedAcrossInstances);
        suite.add("streams, exactly once: hopping, sliding and session windows", StreamsWindowCases::kinds);
    }

    private static KGroupedStream<String, String> grouped(StreamsBuilder builder, String input) {
        return builder.<String, String>stream(input).groupByKey();
    }

    private static void toOutput(KTable<Windowed<String>, Long> counts, String output) {
        counts.toStream()
            .map((key, count) -> org.apache.kafka.streams.KeyValue.pair(
                key.key() + "@" + key.window().start() / 1000 + "-" + key.window().end() / 1000, String.valueOf(count)))
            .to(output);
    }

    private static Supplier<StreamsBuilder> closingWindows(String input, String output) {
        return () -> {
            StreamsBuilder builder = new StreamsBuilder();
            toOutput(grouped(builder, input)
                .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(5)))
                .count(Materialized.with(Serdes.String(), Serdes.Long()))
                .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded())), output);
            return builder;
        };
    }

    private static void suppressed(Cluster cluster) throws Exception {
        String input = cluster.topic(2);
        String output = cluster.topic(1);
        try (StreamsRun run = new StreamsRun(cluster)) {
            for (int partition = 0; partition < 2; partition++) {
                // Its time is 29 at the end: the window from 10 closes at 25.
                for (int second = 0; second < 30; second++) run.send(input, partition, second * 1000, "k" + partition, "");
                // In time for the window from 20, and too late for the one from 10.
                run.send(input, partition, 22_000, "k" + partition, "");
                run.send(input, partition, 12_000, "k" + partition, "");
            }
            run.flush();
            run.start(closingWindows(input, output));
            run.untilCommitted(output, List.of("k0@0-10=10", "k1@0-10=10", "k0@10-20=10", "k1@10-20=10"));
            for (int partition = 0; partition < 2; partition++) run.send(input, partition, 60_000, "k" + partition, "");
            run.flush();
            run.untilCommitted(output, List.of("k0@0-10=10", "k1@0-10=10", "k0@10-20=10", "k1@10-20=10",
                "k0@20-30=11", "k1@20-30=11"));
        }
    }

    private static void suppressedAcrossInstances(Cluster cluster) throws Exception {
        String input = cluster.topic(1);
        String output = cluster.topic(1);
        try (StreamsRun run = new StreamsRun(cluster)) {
            KafkaStreams first = run.start(closingWindows(input, output));
            for (int second = 0; second < 25; second++) run.send(input, 0, second * 1000, "key", "");
            run.flush();
            run.untilCommitted(output, List.of("key@0-10=10"));
            first.close(Duration.ofSeconds(20));
            run.loseState();
            run.start(closingWindows(input, output));
            run.send(input, 0, 26_000, "key", "");
            run.send(input, 0, 90_000, "key", "");
            run.flush();
            run.untilCommitted(output, List.of("key@0-10=10", "key@10-20=10", "key@20-30=6"));
        }
    }

    private static void kinds(Cluster cluster) throws Exception {
        String input = cluster.topic(1);
        String hopping = cluster.topic(1);
        String sliding = cluster.topic(1);
        String sessions = cluster.topic(1);
        Supplier<StreamsBuilder> topology = () -> {
            StreamsBuilder builder = new StreamsBuilder();
            KGroupedStream<String, String> records = grouped(builder, input);
            toOutput(records.windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofSeconds(10)).advanceBy(Duration.ofSeconds(5)))
                .count(Materialized.with(Serdes.String(), Serdes.Long())), hopping);
            toOutput(records.windowedBy(SlidingWindows.ofTimeDifferenceWithNoGrace(Duration.ofSeconds(3)))
                .count(Materialized.with(Serdes.String(), Serdes.Long())), sliding);
            toOutput(records.windowedBy(SessionWindows.ofInactivityGapAndGrace(Duration.ofSeconds(5), Duration.ofSeconds(60)))
                .count(Materialized.with(Serdes.String(), Serdes.Long())), sessions);
            return builder;
        };
        try (StreamsRun run = new StreamsRun(cluster)) {
            for (long second : List.of(100L, 103L, 111L, 107L)) run.send(input, 0, second * 1000, "k", "");
            run.flush();
            run.start(topology);
            run.untilCommitted(sessions, List.of("k@100-100=1", "k@100-100=null", "k@100-103=2", "k@111-111=1",
                // The record from 107 joins the session before it to the one behind it.
                "k@100-103=null", "k@111-111=null", "k@100-111=4"));
            run.untilCommitted(hopping, List.of("k@95-105=1", "k@100-110=1", "k@95-105=2", "k@100-110=2", "k@105-115=1",
                "k@110-120=1", "k@105-115=2"));
            // A window begins right behind each record, too: the second one has what follows the first record.
            run.untilCommitted(sliding, List.of("k@97-100=1", "k@100-103=1", "k@100-103=2", "k@108-111=1"));
        }
    }

    private StreamsWindowCases() {}
}
