"""The calls that an exported boto3 script makes, each checked against AWS's service models as botocore ships them."""

import functools
from typing import Any

import botocore.loaders
from botocore import xform_name
from botocore.model import OperationModel, ServiceModel
from botocore.validate import ParamValidator

from tests.gateway.normal import PSEUDO

IDS = {"restApiId", "parentId", "resourceId", "requestValidatorId", "deploymentId"}
"""Parameters that hold the id of something."""


@functools.cache
def operations(service: str) -> dict[str, OperationModel]:
    """The operations of a service by boto3's name."""
    model = ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)
    return {xform_name(name): model.operation_model(name) for name in model.operation_names}


class Client:
    """Takes every operation of a service, checks its parameters and that their ids are known, and answers with new ones."""

    def __init__(self, service: str, session: "Session") -> None:
        self.service = service
        self.session = session

    def __getattr__(self, name: str) -> Any:
        shape = operations(self.service)[name].input_shape
        assert shape, f"{name} takes nothing"

        def call(**parameters: Any) -> dict[str, Any]:
            report = ParamValidator().validate(parameters, shape)
            assert not report.has_errors(), f"{name}: {report.generate_report()}"
            for key in IDS & parameters.keys():
                assert parameters[key] in self.session.ids, f"{name}: {parameters[key]} is the id of nothing yet"
            if self.service != "sts":
                self.session.calls.append((name, parameters))
            answer = {"Account": PSEUDO["AWS::AccountId"]}
            for key in ("id", "rootResourceId"):
                answer[key] = f"<{name} {len(self.session.calls)} {key}>"
                self.session.ids.add(answer[key])
            return answer

        return call


class Session:
    """Stands where boto3.Session does."""

    region_name = PSEUDO["AWS::Region"]

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.ids: set[str] = set()

    def get_partition_for_region(self, region: str) -> str:
        assert region == self.region_name
        return PSEUDO["AWS::Partition"]

    def client(self, service: str) -> Client:
        return Client(service, self)


def captured(source: str, values: dict[str, Any] | None = None) -> list[tuple[str, dict[str, Any]]]:
    """(operation, parameters) of each call, in order, with these values for the script's own parameters."""
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "<exported>", "exec"), namespace)
    session = Session()
    namespace["deploy"](session, **(values or {}))
    return session.calls
