package millrace.cases;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

/** What cases assert with. */
final class Check {
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    static void that(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }

    static void equal(Object expected, Object actual, String what) {
        if (!Objects.equals(expected, actual)) {
            throw new AssertionError(what + ": expected " + shortened(expected) + ", got " + shortened(actual));
        }
    }

    /** Asserts that the call fails with this error, or one caused by it; answers the error. */
    static <E extends Throwable> E fails(Class<E> expected, Callable<?> call) throws Exception {
        Object answer;
        try {
            answer = call.call();
        } catch (Throwable problem) {
            for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
                if (expected.isInstance(cause)) return expected.cast(cause);
            }
            throw new AssertionError("expected " + expected.getSimpleName() + ", got " + problem, problem);
        }
        throw new AssertionError("expected " + expected.getSimpleName() + ", got the answer " + answer);
    }

    /** Waits until the condition holds. */
    static void until(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > deadline) throw new AssertionError("not reached: " + what);
            Thread.sleep(20);
        }
    }

    /** The error behind a future that failed. */
    static Throwable cause(ExecutionException failed) {
        return failed.getCause();
    }

    private static String shortened(Object value) {
        String text = String.valueOf(value);
        return text.length() <= 300 ? text : text.substring(0, 300) + "…";
    }

    private Check() {}
}
