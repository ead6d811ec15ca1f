import com.jayway.jsonpath.Configuration;
import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.PathNotFoundException;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import net.minidev.json.JSONObject;
import net.minidev.json.JSONValue;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;

/** Renders templates with Apache Velocity 1.7, and reads paths with Jayway JsonPath: one JSON object a line in, one a line out. */
public class Velocity {
    public static void main(String[] arguments) throws Exception {
        VelocityEngine engine = new VelocityEngine();
        engine.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
        // A macro of one template is unknown to the next.
        engine.setProperty("velocimacro.permissions.allow.inline.local.scope", "true");
        engine.init();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JSONObject question = (JSONObject) JSONValue.parse(line);
            JSONObject answer = new JSONObject();
            try {
                answer.put("answer", question.containsKey("path") ? read(question) : render(engine, question));
            } catch (PathNotFoundException error) {
                answer.put("nowhere", true);
            } catch (Throwable error) {
                answer.put("error", error.getClass().getSimpleName() + ": " + error.getMessage());
            }
            out.println(answer.toJSONString());
        }
    }

    private static Object read(JSONObject question) {
        return JsonPath.read((String) question.get("document"), (String) question.get("path"));
    }

    /** Variables as API Gateway's $input.path gives them: objects are LinkedHashMaps, arrays are json-smart's. */
    @SuppressWarnings("unchecked")
    private static String render(VelocityEngine engine, JSONObject question) {
        Object variables = Configuration.defaultConfiguration().jsonProvider().parse((String) question.get("variables"));
        StringWriter written = new StringWriter();
        engine.evaluate(new VelocityContext((Map<String, Object>) variables), written, "template", (String) question.get("template"));
        return written.toString();
    }
}
