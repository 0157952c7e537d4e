import java.util.Arrays;

/**
 * Runs a tool several times in one virtual machine, so that its last run is one of compiled code:
 * `java Repeat.java TIMES CLASS ARGUMENT...`. A line `run N` stands before what each run says.
 */
final class Repeat {
  private Repeat() {}

  public static void main(String[] arguments) throws Exception {
    int times = Integer.parseInt(arguments[0]);
    var tool = Class.forName(arguments[1]).getMethod("main", String[].class);
    String[] rest = Arrays.copyOfRange(arguments, 2, arguments.length);
    for (int run = 1; run <= times; run++) {
      System.out.println("run " + run);
      tool.invoke(null, (Object) rest.clone());
    }
    System.exit(0);
  }
}
