import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.Arrays;
import java.util.Properties;
import java.util.StringJoiner;
import java.util.UUID;

/**
 * Jdbc.java: makes the calls read from standard input through the JDBC driver, and writes their results.
 *
 * <p>Its argument is the driver's option stringtype: what strings are to the server, "varchar" or "unspecified".
 *
 * <p>A line is: types of the keys, SQL, arguments; see drivers.t.
 */
public final class Jdbc {
    private static final String NULL = "\\N";

    private final Connection connection;

    private Jdbc(Connection connection) {
        this.connection = connection;
    }

    /** The type an argument of a kind has; that of a key is told by the line. */
    private static String type(char kind, String[] keys) {
        switch (kind) {
            case 'C': return keys[0];
            case 'M': return keys[1];
            case 'K': return keys[2];
            case 'I': return "bigint";
            case 'P': return "int";
            case 'B': return "boolean";
            case 'A': return "array";
            default: return "text";
        }
    }

    private static Object value(String type, String text) {
        if (text.equals(NULL)) {
            return null;
        }
        switch (type) {
            case "uuid": return UUID.fromString(text);
            case "bigint": return Long.valueOf(text);
            default: return text;
        }
    }

    private static int sqlType(String type) {
        switch (type) {
            case "uuid": return Types.OTHER;
            case "bigint": return Types.BIGINT;
            case "int": return Types.INTEGER;
            case "boolean": return Types.BOOLEAN;
            case "array": return Types.ARRAY;
            default: return Types.VARCHAR;
        }
    }

    private static void bindValue(PreparedStatement statement, int place, String type, String text) throws SQLException {
        if (text.equals(NULL)) {
            statement.setNull(place, sqlType(type));
            return;
        }
        switch (type) {
            case "uuid": statement.setObject(place, UUID.fromString(text)); break;
            case "bigint": statement.setLong(place, Long.parseLong(text)); break;
            case "int": statement.setInt(place, Integer.parseInt(text)); break;
            case "boolean": statement.setBoolean(place, Boolean.parseBoolean(text)); break;
            default: statement.setString(place, text);
        }
    }

    /** A capital is the kind of a value, a small letter that of an array's elements. */
    private void bind(PreparedStatement statement, int place, String argument, String[] keys) throws SQLException {
        char kind = argument.charAt(0);
        String type = type(Character.toUpperCase(kind), keys);
        String text = argument.substring(1);
        if (Character.isUpperCase(kind)) {
            bindValue(statement, place, type, text);
            return;
        }
        String[] elements = text.equals("\u001d") ? new String[0] : text.split("\u001f", -1);
        statement.setArray(place, connection.createArrayOf(type, Arrays.stream(elements).map(e -> value(type, e)).toArray()));
    }

    private static String rows(ResultSet result) throws SQLException {
        StringJoiner rows = new StringJoiner(";");
        while (result.next()) {
            StringJoiner row = new StringJoiner("|");
            for (int column = 1; column <= result.getMetaData().getColumnCount(); column++) {
                row.add(String.valueOf(result.getString(column)));
            }
            rows.add(row.toString());
        }
        return rows.toString();
    }

    private String answer(String line) {
        String[] fields = line.split("\t", -1);
        String[] keys = fields[0].split(" ");
        try (PreparedStatement statement = connection.prepareStatement(fields[1].replaceAll("\\$\\d+", "?"))) {
            for (int place = 1; place < fields.length - 1; place++) {
                bind(statement, place, fields[place + 1], keys);
            }
            try (ResultSet result = statement.executeQuery()) {
                return rows(result);
            }
        } catch (SQLException error) {
            return "error " + error.getSQLState() + "\t" + error.getMessage().lines().findFirst().orElse("");
        }
    }

    public static void main(String[] arguments) throws SQLException, IOException {
        Properties options = new Properties();
        options.setProperty("user", System.getenv("PGUSER"));
        options.setProperty("socketFactory", "UnixSockets");
        options.setProperty("stringtype", arguments[0]);
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (Connection connection = DriverManager.getConnection("jdbc:postgresql://localhost/" + System.getenv("PGDATABASE"), options);
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            Jdbc driver = new Jdbc(connection);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                out.println(driver.answer(line));
            }
        }
    }
}
