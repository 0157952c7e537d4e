import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MutableRecordBatch;
import org.apache.kafka.common.record.Record;

/** Prints what Kafka's own classes read from batches: a file with a batch in base64 on each line. */
public class ReadBatches {
    public static void main(String[] args) throws Exception {
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(Base64.getDecoder().decode(line)));
            for (MutableRecordBatch batch : records.batches()) print(batch);
        }
    }

    static void print(MutableRecordBatch batch) {
        batch.ensureValid();
        System.out.println(String.join(" ", "batch", "" + batch.baseOffset(), "" + batch.lastOffset(),
            batch.compressionType().name, batch.timestampType().name, "" + batch.maxTimestamp(),
            "" + batch.producerId(), "" + batch.producerEpoch(), "" + batch.baseSequence(),
            "" + batch.lastSequence(), "" + batch.isTransactional(), "" + batch.isControlBatch(),
            "" + batch.partitionLeaderEpoch(), "" + batch.countOrNull(),
            "" + batch.deleteHorizonMs().orElse(-1)));
        for (Record record : batch) {
            record.ensureValid();
            StringBuilder text = new StringBuilder("record ").append(record.offset()).append(' ')
                .append(record.timestamp()).append(' ').append(base64(record.key())).append(' ')
                .append(base64(record.value()));
            for (Header header : record.headers()) {
                byte[] value = header.value();
                text.append(' ').append(Base64.getEncoder().encodeToString(header.key().getBytes(StandardCharsets.UTF_8)))
                    .append('=').append(value == null ? "null" : Base64.getEncoder().encodeToString(value));
            }
            System.out.println(text);
            if (batch.isControlBatch()) {
                System.out.println("control " + ControlRecordType.parse(record.key()).name().toLowerCase() + " "
                    + EndTransactionMarker.deserialize(record).coordinatorEpoch());
            }
        }
    }

    static String base64(ByteBuffer bytes) {
        if (bytes == null) return "null";
        byte[] array = new byte[bytes.remaining()];
        bytes.duplicate().get(array);
        return Base64.getEncoder().encodeToString(array);
    }
}
