import com.jayway.jsonpath.Configuration;
import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.PathNotFoundException;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.minidev.json.JSONObject;
import net.minidev.json.JSONStyle;
import net.minidev.json.JSONValue;
import org.apache.commons.lang.StringEscapeUtils;
import org.apache.velocity.Template;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.VelocityEngine;
import org.apache.velocity.app.event.EventCartridge;
import org.apache.velocity.app.event.ReferenceInsertionEventHandler;
import org.apache.velocity.runtime.RuntimeSingleton;
import org.apache.velocity.runtime.parser.node.SimpleNode;

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
                if (question.containsKey("seconds")) measure(engine, question, answer);
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
    private static String render(VelocityEngine engine, JSONObject question) {
        StringWriter written = new StringWriter();
        engine.evaluate(contextOf(question), written, "template", (String) question.get("template"));
        return written.toString();
    }

    /** Renders per second: as text that is parsed each time, and with the parsed template kept. */
    private static void measure(VelocityEngine engine, JSONObject question, JSONObject answer) throws Exception {
        double seconds = ((Number) question.get("seconds")).doubleValue();
        SimpleNode parsed = RuntimeSingleton.parse(new StringReader((String) question.get("template")), "template");
        Template template = new Template();
        template.setRuntimeServices(RuntimeSingleton.getRuntimeServices());
        template.setData(parsed);
        template.initDocument();
        for (String way : List.of("evaluate", "merge")) {
            long count = 0;
            double rate = 0;
            for (double phase : new double[] {seconds, seconds}) { // the first warms up
                long started = System.nanoTime();
                for (count = 0; System.nanoTime() - started < phase * 1e9; count++) {
                    if (way.equals("evaluate")) render(engine, question);
                    else template.merge(contextOf(question), new StringWriter());
                }
                rate = count / ((System.nanoTime() - started) / 1e9);
            }
            answer.put(way, rate);
        }
    }

    private static VelocityContext contextOf(JSONObject question) {
        Map<String, Object> variables =
            question.containsKey("body") ? ofApiGateway(question) : parse((String) question.get("variables"));
        VelocityContext context = new VelocityContext(variables);
        if (question.containsKey("body")) writeNothingForNull().attachToContext(context);
        return context;
    }

    /** API Gateway was seen to write nothing for a reference that has no value. */
    private static EventCartridge writeNothingForNull() {
        EventCartridge cartridge = new EventCartridge();
        cartridge.addEventHandler((ReferenceInsertionEventHandler) (reference, value) -> value == null ? "" : value);
        return cartridge;
    }

    @SuppressWarnings("unchecked")
    private static <T> T parse(String text) {
        return (T) Configuration.defaultConfiguration().jsonProvider().parse(text);
    }

    private static Map<String, Object> ofApiGateway(JSONObject question) {
        Map<String, Object> variables = new HashMap<>();
        variables.put("input", new Input((String) question.get("body"), parse((String) question.get("parameters"))));
        variables.put("util", new Util());
        Map<String, Object> context = parse((String) question.get("context"));
        for (String override : List.of("requestOverride", "responseOverride"))
            context.put(override, new HashMap<>(Map.of("header", new HashMap<>(), "path", new HashMap<>(), "querystring", new HashMap<>())));
        variables.put("context", context);
        variables.put("stageVariables", parse((String) question.get("stageVariables")));
        return variables;
    }

    /** $input, as the documentation has it; of its own paths, Jayway's. */
    public static class Input {
        private final String body;
        private final Map<String, Object> parameters;

        Input(String body, Map<String, Object> parameters) {
            this.body = body;
            this.parameters = parameters;
        }

        public String getBody() {
            return body;
        }

        public Object path(String path) {
            try {
                return JsonPath.read(Velocity.<Object>parse(body), path);
            } catch (PathNotFoundException nowhere) {
                return null;
            }
        }

        public String json(String path) {
            Object found = path(path);
            return found == null ? "\"\"" : JSONValue.toJSONString(found, JSONStyle.LT_COMPRESS);
        }

        public Object params() {
            return parameters;
        }

        public Object params(String name) {
            for (String place : List.of("path", "querystring", "header")) {
                Object found = ((Map<?, ?>) parameters.get(place)).get(name);
                if (found != null) return found;
            }
            return "";
        }
    }

    /** $util, of what its documentation names or Java has. */
    public static class Util {
        public String escapeJavaScript(String text) {
            return StringEscapeUtils.escapeJavaScript(text);
        }

        public Object parseJson(String text) {
            return Velocity.<Object>parse(text);
        }

        public String urlEncode(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8);
        }

        public String urlDecode(String text) {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        }

        public String base64Encode(String text) {
            return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
        }

        public String base64Decode(String text) {
            return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
        }
    }
}
