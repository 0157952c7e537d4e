package millrace.cases;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams: what joins write to their output. */
final class StreamsJoinCases {
    /** Waits for the other input of a join for so long: then both are read in the order of their times. */
    private static final Object[] IN_ORDER = {StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, 5000L};

    static void addTo(Suite suite) {
        suite.add("streams, exactly once: an inner join of two streams", StreamsJoinCases::innerOfStreams);
        suite.add("streams, exactly once: left and outer joins of two streams", StreamsJoinCases::outerOfStreams);
        suite.add("streams, exactly once: joins of two tables, with changes and tombstones", StreamsJoinCases::ofTables);
        suite.add("streams, exactly once: a join of tables by a foreign key", StreamsJoinCases::byForeignKey);
        suite.add("streams, exactly once: a stream is joined with a table as of its time, and with a global one",
            StreamsJoinCases::streamWithTables);
    }

    private static void innerOfStreams(Cluster cluster) throws Exception {
        String orders = cluster.topic(2);
        String payments = cluster.topic(2);
        String output = cluster.topic(2);
        Supplier<StreamsBuilder> topology = () -> {
            StreamsBuilder builder = new StreamsBuilder();
            KStream<String, String> right = builder.stream(payments);
            var window = JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofMinutes(5));
            builder.<String, String>stream(orders)
                .join(right, (order, payment) -> order + " paid by " + payment, window,
                    StreamJoined.with(
                        Stores.inMemoryWindowStore("orders", Duration.ofMinutes(10), Duration.ofMinutes(10), true),
                        Stores.inMemoryWindowStore("payments", Duration.ofMinutes(10), Duration.ofMinutes(10), true)))
                .to(output);
            return builder;
        };
        try (StreamsRun run = new StreamsRun(cluster)) {
            run.start(topology);
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                run.send(orders, "order-" + i, "order " + i);
                if (i % 2 != 0) continue;
                run.send(payments, "order-" + i, "payment " + i);
                expected.add("order-" + i + "=order " + i + " paid by payment " + i);
            }
            run.flush();
            run.untilCommitted(output, expected);
        }
    }

    /** Who stays alone is told when the window has closed: when time has gone on in that partition. */
    private static void outerOfStreams(Cluster cluster) throws Exception {
        String left = cluster.topic(1);
        String right = cluster.topic(1);
        String leftOutput = cluster.topic(1);
        String outerOutput = cluster.topic(1);
        var window = JoinWindows.ofTimeDifferenceAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(5));
        Supplier<StreamsBuilder> topology = () -> {
            StreamsBuilder builder = new StreamsBuilder();
            KStream<String, String> one = builder.stream(left);
            KStream<String, String> other = builder.stream(right);
            one.leftJoin(other, (a, b) -> a + "+" + b, window).to(leftOutput);
            one.outerJoin(other, (a, b) -> a + "+" + b, window).to(outerOutput);
            return builder;
        };
        try (StreamsRun run = new StreamsRun(cluster, IN_ORDER)) {
            run.send(left, 0, 100_000, "both", "l1");
            run.send(right, 0, 105_000, "both", "r1");
            run.send(left, 0, 106_000, "both", "l2");
            run.send(left, 0, 107_000, "left only", "l3");
            run.send(right, 0, 108_000, "right only", "r2");
            run.send(left, 0, 109_000, "apart", "l4");
            run.send(right, 0, 130_000, "apart", "r3");
            run.send(left, 0, 500_000, "end", "l5");
            run.send(right, 0, 500_000, "end", "r4");
            run.flush();
            run.start(topology);
            List<String> joined = List.of("both=l1+r1", "both=l2+r1", "left only=l3+null", "apart=l4+null", "end=l5+r4");
            run.untilCommitted(leftOutput, joined);
            List<String> outer = new ArrayList<>(joined);
            outer.addAll(List.of("right only=null+r2", "apart=null+r3"));
            run.untilCommitted(outerOutput, outer);
        }
    }

    private static void ofTables(Cluster cluster) throws Exception {
        String left = cluster.topic(2);
        String right = cluster.topic(2);
        Map<String, String> outputs = new HashMap<>();
        for (String kind : List.of("inner", "left", "outer")) outputs.put(kind, cluster.topic(2));
        Supplier<StreamsBuilder> topology = () -> {
            StreamsBuilder builder = new StreamsBuilder();
            KTable<String, String> one = builder.table(left);
            KTable<String, String> other = builder.table(right);
            one.join(other, (a, b) -> a + "+" + b).toStream().to(outputs.get("inner"));
            one.leftJoin(other, (a, b) -> a + "+" + b).toStream().to(outputs.get("left"));
            one.outerJoin(other, (a, b) -> a + "+" + b).toStream().to(outputs.get("outer"));
            return builder;
        };
        try (StreamsRun run = new StreamsRun(cluster, IN_ORDER)) {
            for (int partition = 0; partition < 2; partition++) {
                run.send(left, partition, 1000, "both" + partition, "l1");
                run.send(right, partition, 1001, "both" + partition, "r1");
                run.send(left, partition, 1002, "both" + partition, "l2");
                run.send(right, partition, 1003, "right" + partition, "r2");
                run.send(left, partition, 1004, "left" + partition, "l3");
                run.send(right, partition, 1005, "both" + partition, null);
                run.send(left, partition, 1006, "left" + partition, null);
                run.send(right, partition, 1007, "both" + partition, "r3");
            }
            run.flush();
            run.start(topology);
            run.untilCommitted(outputs.get("inner"), twice("both=l1+r1", "both=l2+r1", "both=null", "both=l2+r3"));
            run.untilCommitted(outputs.get("left"), twice("both=l1+null", "both=l1+r1", "both=l2+r1", "left=l3+null",
                "both=l2+null", "left=null", "both=l2+r3"));
            run.untilCommitted(outputs.get("outer"), twice("both=l1+null", "both=l1+r1", "both=l2+r1", "right=null+r2",
                "left=l3+null", "both=l2+null", "left=null", "both=l2+r3"));
        }
    }

    /** The same of both partitions, whose keys end with their numbers. */
    private static List<String> twice(String... outputs) {
        List<String> all = new ArrayList<>();
        for (String output : outputs) {
            for (int partition = 0; partition < 2; partition++) all.add(output.replaceFirst("=", partition + "="));
        }
        return all;
    }

    private static void byForeignKey(Cluster cluster) throws Exception {
        String orders = cluster.topic(2);
        String customers = cluster.topic(3);
        String output = cluster.topic(1);
        Supplier<StreamsBuilder> topology = () -> {
            StreamsBuilder builder = new StreamsBuilder();
            KTable<String, String> names = builder.table(customers);
            builder.<String, String>table(orders)
                .join(names, order -> order.split(" ")[0], (order, name) -> order + " " + name)
                .toStream().to(output);
            return builder;
        };
        try (StreamsRun run = new StreamsRun(cluster)) {
            run.start(topology);
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < 3; i++) run.send(customers, "c" + i, "name-" + i);
            for (int i = 0; i < 30; i++) run.send(orders, "order-" + i, "c" + i % 3 + " amount-" + i);
            run.flush();
            for (int i = 0; i < 30; i++) expected.add("order-" + i + "=c" + i % 3 + " amount-" + i + " name-" + i % 3);
            // An order that was there before its customer is told of once, too.
            run.untilCommitted(output, expected);
            run.send(customers, "c1", "renamed");
            run.send(orders, "order-0", null);
            run.flush();
            for (int i = 1; i < 30; i += 3) expected.add("order-" + i + "=c1 amount-" + i + " renamed");
            expected.add("order-0=null");
            run.untilCommitted(output, expected);
        }
    }

    private static void streamWithTables(Cluster cluster) throws Exception {
        String prices = cluster.topic(1);
        String countries = cluster.topic(3, "cleanup.policy", "compact");
        String orders = cluster.topic(1);
        String output = cluster.topic(1);
        Supplier<StreamsBuilder> topology = () -> {
            StreamsBuilder builder = new StreamsBuilder();
            KTable<String, String> table = builder.table(prices);
            var global = builder.<String, String>globalTable(countries);
            builder.<String, String>stream(orders)
                .leftJoin(table, (order, price) -> order + " at " + price)
                .join(global, (article, order) -> order.split(" ")[0], (order, country) -> order + " in " + country)
                .to(output);
            return builder;
        };
        try (StreamsRun run = new StreamsRun(cluster, IN_ORDER)) {
            for (String country : List.of("de", "fr", "it")) run.send(countries, country, country.toUpperCase());
            run.send(orders, 0, 1000, "article", "de 1");
            run.send(prices, 0, 1001, "article", "10");
            run.send(orders, 0, 1002, "article", "fr 2");
            run.send(prices, 0, 1003, "article", "20");
            run.send(orders, 0, 1004, "article", "it 3");
            run.send(prices, 0, 1005, "article", null);
            run.send(orders, 0, 1006, "article", "de 4");
            run.flush();
            run.start(topology);
            run.untilCommitted(output, List.of("article=de 1 at null in DE", "article=fr 2 at 10 in FR",
                "article=it 3 at 20 in IT", "article=de 4 at null in DE"));
        }
    }

    private StreamsJoinCases() {}
}
