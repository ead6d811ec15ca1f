"""Renders per second of usual mapping templates: here, and by Apache Velocity 1.7 on the same machine, in one run.

    python benchmarks/velocity.py [--seconds 2]

Needs a JDK and Debian's velocity and libjsonpath-java. `parsed once`: the parsed template is kept, as it is here; `as API Gateway
is told`: Java's evaluate(), which parses each time. $input is read anew for each render on both sides.
Prints a line a template, and fails where a template renders here at less than half of the rate of Java's evaluate().
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


def main() -> int:
    """1 where the goal is missed, or a template does not render as in Java."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each template is rendered")
    seconds = parser.parse_args().seconds
    if not shutil.which("javac") or not (JARS / "velocity-1.7.jar").exists():
        sys.exit("Install a JDK, velocity and libjsonpath-java first.")
    failed = False
    print(f"{'template':<16}{'here':>10}{'Java':>10}{'ratio':>8}{'Java, parsed once':>20}{'ratio':>8}")
    with java() as ask:
        for name, question in questions(seconds).items():
            said, rate = ask(question), ours(TEMPLATES[name], seconds)
            if render(TEMPLATES[name], Given(body=BODY, parameters=PARAMETERS, context=CONTEXT)).text != said["answer"]:
                print(f"{name} does not render as in Java.")
                failed = True
            evaluated, merged = float(said["evaluate"]), float(said["merge"])
            failed |= rate < GOAL * evaluated
            print(f"{name:<16}{rate:>10,.0f}{evaluated:>10,.0f}{rate / evaluated:>8.2f}{merged:>20,.0f}{rate / merged:>8.2f}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
