import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Says what java.util.regex makes of patterns: each line of standard input is a pattern and subjects, in base64 of
 * UTF-8 and with tabs between; each line of standard output is "refused", or "accepted" and for each subject "1" when
 * the pattern matches the whole of it, "0" when it does not, "?" when that took too long or too deep to find out, or
 * Java failed over it (up to 18 it leaves a null in a class such as [a&&]).
 */
final class JavaRegex {
    private static final int MOST_READS = 200_000;

    /** A subject that can be read only so often. */
    private static final class Subject implements CharSequence {
        private final String text;
        private int reads;

        Subject(String text) {
            this.text = text;
        }

        @Override
        public char charAt(int index) {
            if (++reads > MOST_READS) {
                throw new IllegalStateException("read too often");
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    private static String decoded(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }

    private static char matches(Pattern pattern, String subject) {
        try {
            return pattern.matcher(new Subject(subject)).matches() ? '1' : '0';
        } catch (IllegalStateException | NullPointerException | StackOverflowError undecided) {
            return '?';
        }
    }

    private static String answer(String[] fields) {
        Pattern pattern;
        try {
            pattern = Pattern.compile(decoded(fields[0]));
        } catch (PatternSyntaxException refusal) {
            return "refused";
        }
        StringBuilder answer = new StringBuilder("accepted ");
        for (int i = 1; i < fields.length; i++) {
            answer.append(matches(pattern, decoded(fields[i])));
        }
        return answer.toString();
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.US_ASCII);
        out.println(Runtime.version().feature());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String result;
            try {
                result = answer(line.split("\t", -1));
            } catch (RuntimeException | StackOverflowError failure) {
                result = "failed " + failure;
            }
            out.println(result);
        }
    }
}
