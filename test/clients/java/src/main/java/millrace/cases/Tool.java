package millrace.cases;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.utils.Exit;

/** Runs Kafka's command line tools in this process, with their output caught. */
final class Tool {
    static final String TOOLS = "org.apache.kafka.tools.";
    static final String TOPICS = TOOLS + "TopicCommand";
    static final String GROUPS = TOOLS + "consumer.group.ConsumerGroupCommand";
    static final String CONFIGS = "kafka.admin.ConfigCommand";
    static final String CONSUMER = TOOLS + "consumer.ConsoleConsumer";
    static final String GET_OFFSETS = TOOLS + "GetOffsetShell";

    /**
     * What tools print to. Tools written in Scala keep the stream that was System.out when they first
     * printed, so that must always be the same one.
     */
    private static final class Printed extends OutputStream {
        volatile OutputStream target = OutputStream.nullOutputStream();

        @Override
        public void write(int letter) throws IOException {
            target.write(letter);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            target.write(bytes, from, count);
        }
    }

    private static final Printed PRINTED = new Printed();
    private static Path transcript;

    static {
        System.setOut(new PrintStream(PRINTED, true));
        System.setErr(new PrintStream(PRINTED, true));
    }

    /** Thrown where a tool asks for the end of the process. Some tools catch it, and ask again. */
    private static final class Exited extends RuntimeException {}

    /** How a tool ended. */
    private record Outcome(String printed, Integer code, Throwable problem) {
        boolean failed() {
            return problem != null || code != null && code != 0;
        }
    }

    /** Writes what every tool prints to a file, too: two brokers can be compared by it. */
    static void keepTranscript(String file) {
        transcript = Path.of(file);
    }

    /** Runs a tool's main method and answers what it printed; fails when its exit code is not 0. */
    static String run(String type, String input, String... arguments) throws Exception {
        Outcome outcome = outcome(type, input, arguments);
        if (outcome.failed()) {
            throw new AssertionError(type + " failed with " + outcome.code + ", " + outcome.problem + "; it printed: "
                + outcome.printed, outcome.problem);
        }
        return outcome.printed;
    }

    /** Runs a tool on the broker under test. */
    static String run(Cluster cluster, String type, String... arguments) throws Exception {
        return run(type, "", onBroker(cluster, arguments));
    }

    /** Runs a tool that is to fail, and answers what it printed and what it threw. */
    static String failing(Cluster cluster, String type, String... arguments) throws Exception {
        Outcome outcome = outcome(type, "", onBroker(cluster, arguments));
        Check.that(outcome.failed(), type + " fails; it printed: " + outcome.printed);
        return outcome.printed + outcome.problem;
    }

    /** Runs a tool on the broker under test in a process of its own: some say what matters when theirs ends. */
    static String inProcess(Cluster cluster, String type, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
            "-cp", System.getProperty("java.class.path"), type));
        command.addAll(Arrays.asList(onBroker(cluster, arguments)));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        cluster.opened(process::destroyForcibly);
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        Check.equal(0, process.waitFor(), type + ", which printed " + printed);
        return printed;
    }

    private static String[] onBroker(Cluster cluster, String... arguments) {
        List<String> all = new ArrayList<>(List.of("--bootstrap-server", cluster.bootstrap));
        all.addAll(Arrays.asList(arguments));
        return all.toArray(String[]::new);
    }

    private static synchronized Outcome outcome(String type, String input, String... arguments) throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PRINTED.target = printed;
        AtomicReference<Integer> firstCode = new AtomicReference<>();
        InputStream keyboard = System.in;
        Exit.Procedure exit = (code, message) -> {
            firstCode.compareAndSet(null, code);
            throw new Exited();
        };
        Exit.setExitProcedure(exit);
        Exit.setHaltProcedure(exit);
        Throwable problem = null;
        try {
            System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
            Class.forName(type).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException failed) {
            if (!(failed.getCause() instanceof Exited)) problem = failed.getCause();
        } finally {
            System.setIn(keyboard);
            Exit.resetExitProcedure();
            Exit.resetHaltProcedure();
        }
        Outcome outcome = new Outcome(printed.toString(StandardCharsets.UTF_8), firstCode.get(), problem);
        if (transcript != null) {
            Files.writeString(transcript, "$ " + type + " " + String.join(" ", arguments) + "\n" + outcome.printed
                + "(" + outcome.code + ", " + outcome.problem + ")\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
        return outcome;
    }

    static void contains(String printed, String... parts) {
        for (String part : parts) Check.that(printed.contains(part), "«" + part + "» is printed, in: " + printed);
    }

    static void lacks(String printed, String... parts) {
        for (String part : parts) Check.that(!printed.contains(part), "«" + part + "» is not printed, in: " + printed);
    }

    private Tool() {}
}
