"""LocalStack on 127.0.0.1 alone, with Lambda functions of Python that run in its own process: `python launch.py`, in its venv.

`GATEWAY_LISTEN` says where it listens, yet Twisted is asked for 0.0.0.0 whatever the host: the endpoint is bound here. Functions
are the tests' own, so they may run unconfined; LocalStack itself would want Docker for them.
"""

import importlib.util
import json
import traceback
from pathlib import Path
from typing import Any

from localstack import config
from localstack.services.lambda_.invocation import runtime_executor
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from twisted.internet import endpoints


class Loopback(endpoints.TCP4ServerEndpoint):
    """A listener on 127.0.0.1, whatever interface is asked for."""

    def __init__(self, reactor: Any, port: int, backlog: int = 50, interface: str = "") -> None:
        super().__init__(reactor, port, backlog, "127.0.0.1")


class Context:
    """What a handler gets beside its event."""

    def __init__(self, payload: dict[str, str], function: FunctionVersion) -> None:
        self.aws_request_id = payload["invoke-id"]
        self.function_name = function.id.function_name
        self.invoked_function_arn = payload["invoked-function-arn"]


class InProcess(runtime_executor.RuntimeExecutor):
    """Runs a Python handler here, loaded anew for each environment."""

    def start(self, env_vars: dict[str, str]) -> None:
        module, _, name = self.function_version.config.handler.rpartition(".")
        path = Path(str(self.function_version.config.code.get_unzipped_code_location()), *module.split(".")).with_suffix(".py")
        spec = importlib.util.spec_from_file_location(f"function_{self.id}", path)
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        self.handler = getattr(loaded, name)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        event = json.loads(payload["payload"] or "null")
        try:
            answer, failed = self.handler(event, Context(payload, self.function_version)), False
        except Exception as error:
            trace = traceback.format_tb(error.__traceback__)
            answer, failed = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": trace}, True
        return InvocationResult(payload["invoke-id"], json.dumps(answer).encode(), failed, "")

    def stop(self) -> None:
        pass

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"

    def get_logs(self) -> str:
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        pass


if __name__ == "__main__":
    endpoints.TCP4ServerEndpoint = Loopback
    runtime_executor.get_runtime_executor = lambda: InProcess
    from localstack.runtime.main import main

    main()
