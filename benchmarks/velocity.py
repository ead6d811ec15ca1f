"""Renders per second of usual mapping templates: here, by Apache Velocity 1.7 and by airspeed-ext, on one machine in one run.

    python benchmarks/velocity.py [--seconds 2]

Needs a JDK and Debian's velocity and libjsonpath-java. `parsed once`: the parsed template is kept, as it is here and by
airspeed-ext; the other column of Java's is evaluate(), which parses each time. $input is read anew for each render on all sides.
airspeed-ext has an environment of its own under build/, made of benchmarks/airspeed.txt: a template of its reaches Python itself.
Prints a line a template, and fails where a template renders here at less than half of the rate of Java's evaluate(), or slower
than by airspeed-ext.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from integrations.gateway.velocity import Given, render  # noqa: E402
from tests.judges.velocity.conftest import JARS, NEEDED  # noqa: E402

GOAL = 0.5

TEMPLATES = {
    "MOCK": '{"statusCode": 200}',
    "SQS": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)&Version=2012-11-05",
    "Step Functions": '{"input": "$util.escapeJavaScript($input.json(\'$\'))", "stateMachineArn": "arn:aws:states:eu-west-1::m"}',
    "DynamoDB": """#set($root = $input.path('$'))
{
  "TableName": "books",
  "Item": {
    "id": {"S": "$context.requestId"},
    "title": {"S": "$root.title"},
    "author": {"S": "$util.escapeJavaScript($root.author)"}#if($root.price > 0),
    "price": {"N": "$root.price"}#end

  }
}""",
    "a list": """#set($root = $input.path('$'))
{"books": [
#foreach($item in $root.items)
  {"id": "$item.id", "title": "$util.escapeJavaScript($item.title)", "stock": $item.stock}#if($foreach.hasNext),#end

#end
], "count": $root.items.size()}""",
    "everything": """#set($params = $input.params())
{
"body": $input.json('$'),
"params": {
#foreach($type in $params.keySet())
  #set($of = $params.get($type))
"$type": {
  #foreach($name in $of.keySet())
  "$name": "$util.escapeJavaScript($of.get($name))"
    #if($foreach.hasNext),#end
  #end
}
  #if($foreach.hasNext),#end
#end
},
"context": {"stage": "$context.stage", "ip": "$context.identity.sourceIp", "id": "$context.requestId"}
}""",
}
BODY = json.dumps(
    {
        "title": 'The "Book"',
        "author": "A. Writer",
        "price": 12,
        "items": [{"id": str(index), "title": f"Book no. {index}", "stock": index} for index in range(20)],
    }
)
PARAMETERS = {
    "path": {"id": "7"},
    "querystring": {"page": "2", "size": "20"},
    "header": {"Accept": "*/*", "Content-Type": "application/json", "User-Agent": "benchmark"},
}
CONTEXT = {"requestId": "r-1", "stage": "live", "identity": {"sourceIp": "192.0.2.1"}}


def ours(template: str, seconds: float) -> float:
    """Renders per second here."""
    given = Given(body=BODY, parameters=PARAMETERS, context=CONTEXT)
    render(template, given)
    count = 0
    started = time.perf_counter()
    while (passed := time.perf_counter() - started) < seconds:
        for _ in range(20):
            render(template, given).text  # noqa: B018
        count += 20
    return count / passed


def questions(seconds: float) -> dict[str, str]:
    """What Java is asked, by the name of the template."""
    given = {"parameters": json.dumps(PARAMETERS), "context": json.dumps(CONTEXT), "stageVariables": "{}", "seconds": seconds}
    return {name: json.dumps({"template": text, "body": BODY, **given}) + "\n" for name, text in TEMPLATES.items()}


@contextmanager
def java() -> Iterator[Callable[[str], dict[str, float | str]]]:
    """Asks Java for the `answer` to a question, and its renders per second: `evaluate` and `merge`."""
    path = ":".join(str(JARS / f"{name}.jar") for name in NEEDED)
    with tempfile.TemporaryDirectory(prefix="gatehouse-") as folder:
        source = ROOT / "tests" / "judges" / "velocity" / "Velocity.java"
        subprocess.run(["javac", "-d", folder, "-cp", path, str(source)], check=True)
        command = ["java", "-cp", f"{path}:{folder}", "Velocity"]
        yield from _asking(command)


def _asking(command: list[str]) -> Iterator[Callable[[str], dict[str, float | str]]]:
    """A process that answers a line of JSON with one."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin and process.stdout
        to, back = process.stdin, process.stdout

        def ask(question: str) -> dict[str, float | str]:
            to.write(question)
            to.flush()
            found: dict[str, float | str] = json.loads(back.readline())
            return found

        yield ask
        to.close()


@contextmanager
def airspeed() -> Iterator[Callable[[str], dict[str, float | str]]]:
    """Asks airspeed-ext for the `answer` to a question, and its renders per second: `rate`."""
    home = ROOT / "build" / "airspeed"
    python, wanted = home / "bin" / "python", ROOT / "benchmarks" / "airspeed.txt"
    if not (home / ".made").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*command, "--require-hashes", "-r", str(wanted)], check=True)
        (home / ".made").touch()
    yield from _asking([str(python), str(wanted.with_name("airspeed_renders.py"))])


def main() -> int:
    """1 where the goal is missed, or a template does not render as in Java."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each template is rendered")
    seconds = parser.parse_args().seconds
    if not shutil.which("javac") or not (JARS / "velocity-1.7.jar").exists():
        sys.exit("Install a JDK, velocity and libjsonpath-java first.")
    failed = False
    columns = ("Java", "ratio", "Java, parsed once", "ratio", "airspeed-ext", "ratio")
    print(f"{'template':<16}{'here':>9}" + "".join(f"{column:>{max(9, len(column) + 2)}}" for column in columns))
    with java() as ask, airspeed() as ask_airspeed:
        for name, question in questions(seconds).items():
            said, other, rate = ask(question), ask_airspeed(question), ours(TEMPLATES[name], seconds)
            if render(TEMPLATES[name], Given(body=BODY, parameters=PARAMETERS, context=CONTEXT)).text != said["answer"]:
                print(f"{name} does not render as in Java.")
                failed = True
            evaluated, merged, aired = float(said["evaluate"]), float(said["merge"]), float(other["rate"])
            failed |= rate < GOAL * evaluated or rate < aired
            print(
                f"{name:<16}{rate:>9,.0f}{evaluated:>9,.0f}{rate / evaluated:>9.2f}{merged:>19,.0f}{rate / merged:>9.2f}"
                f"{aired:>14,.0f}{rate / aired:>9.2f}"
            )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
