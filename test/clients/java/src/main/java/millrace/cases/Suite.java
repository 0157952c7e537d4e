package millrace.cases;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The cases, and how they are run: most of them beside each other, since they mostly wait. */
final class Suite {
    private static final int PARALLEL_CASES = 4;
    private static final int CASE_TIMEOUT_SECONDS = 90;

    /** What a case does; it fails by throwing. */
    interface Body {
        void run(Cluster cluster) throws Exception;
    }

    private record Case(String name, boolean alone, Body body) {}

    private final String bootstrap;
    private final Security security;
    private final String only;
    private final List<Case> cases = new ArrayList<>();
    /** Cases that run command line tools change System.out. */
    private final PrintStream output = System.out;

    Suite(String bootstrap, Security security, String only) {
        this.bootstrap = bootstrap;
        this.security = security;
        this.only = only;
    }

    Security security() {
        return security;
    }

    void add(String name, Body body) {
        if (name.contains(only)) cases.add(new Case(name, false, body));
    }

    /** Adds a case that is run when no other one is. */
    void addAlone(String name, Body body) {
        if (name.contains(only)) cases.add(new Case(name, true, body));
    }

    /** Runs all cases; answers whether none failed. */
    boolean run() throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(PARALLEL_CASES);
        List<Future<Boolean>> results = new ArrayList<>();
        for (Case one : cases) if (!one.alone) results.add(pool.submit(() -> run(one)));
        boolean passed = true;
        for (Future<Boolean> result : results) passed &= result.get();
        pool.shutdown();
        for (Case one : cases) if (one.alone) passed &= run(one);
        return passed;
    }

    private boolean run(Case one) {
        long started = System.nanoTime();
        FutureTask<Void> task = new FutureTask<>(() -> {
            try (Cluster cluster = new Cluster(bootstrap)) {
                one.body.run(cluster);
            }
            return null;
        });
        Thread thread = new Thread(task, "case " + one.name);
        thread.setDaemon(true);
        thread.start();
        String problem = null;
        try {
            task.get(CASE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            problem = "not done after " + CASE_TIMEOUT_SECONDS + " s, at " + where(thread);
            thread.interrupt();
        } catch (Exception failed) {
            Throwable cause = failed.getCause() == null ? failed : failed.getCause();
            if (cause instanceof Skipped) {
                output.println("SKIP " + one.name + ": " + cause.getMessage());
                return true;
            }
            problem = describe(cause);
        }
        long elapsedMs = (System.nanoTime() - started) / 1_000_000;
        String line = (problem == null ? "PASS " : "FAIL ") + one.name + " " + elapsedMs;
        output.println(problem == null ? line : line + ": " + problem.replace('\n', ' '));
        return problem == null;
    }

    private static String describe(Throwable problem) {
        StringBuilder text = new StringBuilder(problem.toString());
        for (Throwable cause = problem.getCause(); cause != null; cause = cause.getCause()) {
            text.append(" <- ").append(cause);
        }
        for (StackTraceElement frame : problem.getStackTrace()) {
            if (frame.getClassName().startsWith("millrace.")) text.append(" at ").append(frame);
        }
        return text.toString();
    }

    private static String where(Thread thread) {
        StringBuilder text = new StringBuilder();
        for (StackTraceElement frame : thread.getStackTrace()) {
            if (frame.getClassName().startsWith("millrace.") || text.length() < 200) text.append(frame).append("; ");
        }
        return text.toString();
    }
}
