"""Integrations to start from, complete and without a finding that matters; and one that is broken, to learn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from integrations.gateway.definition import (
    Api,
    AwsService,
    DeploymentParameter,
    Http,
    Integration,
    IntegrationResponse,
    Lambda,
    MethodResponse,
    Mock,
    Model,
    Route,
    Template,
)
from integrations.gateway.options import Kind

type Glyph = Literal["lambda", "http", "vpc", "sqs", "sfn", "ddb", "s3", "evb", "mock"]
"""The drawn sign of a backend: `i-` and this is its symbol in the sprite."""
type Shape = Literal["proxy", "mapped", "mock"]
"""Which stages a request passes: straight through, through mappings both ways, or no backend at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A named start: what "new from a recipe" offers, and what the demo team holds."""

    slug: str
    title: str
    description: str
    glyph: Glyph
    api: Api

    @property
    def shape(self) -> Shape:
        """How its integration treats a request."""
        integration = self.api.routes[0].integration
        return "mock" if integration.type == "MOCK" else "proxy" if integration.is_proxy else "mapped"


def _parameter(name: str, kind: Kind, description: str) -> DeploymentParameter:
    return DeploymentParameter(name=name, kind=kind, description=description)


def _json(text: str, *, substituted: bool = False) -> dict[str, Template]:
    return {"application/json": Template(text, substituted=substituted)}


def _failed(status_code: str, pattern: str, message: str) -> IntegrationResponse:
    """An answer of the backend that failed: whatever it said, the caller reads one JSON message."""
    return IntegrationResponse(
        status_code=status_code,
        selection_pattern=pattern,
        response_templates=_json(f'{{"message": "{message}"}}\n'),
    )


# API Gateway's escapeJavaScript writes \' for an apostrophe, which no JSON reader takes: hence each replaceAll.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html

LIST_BOOKS_EVENT = r"""#set($genre = $util.escapeJavaScript($input.params('genre')).replaceAll("\\'", "'"))
#set($after = $util.escapeJavaScript($input.params('after')).replaceAll("\\'", "'"))
{
  "genre": "$genre",
  "after": "$after",
  "requestId": "$context.requestId"
}
"""
LIST_BOOKS_REFUSED = r"""#set($message = $util.escapeJavaScript($input.path('$.errorMessage')).replaceAll("\\'", "'"))
{"message": "$message"}
"""
ORDER_SCHEMA = """{
  "$schema": "http://json-schema.org/draft-04/schema#",
  "title": "Order",
  "type": "object",
  "required": ["customerId", "items"],
  "properties": {
    "customerId": {"type": "string", "minLength": 1},
    "items": {
      "type": "array",
      "minItems": 1,
      "items": {
        "type": "object",
        "required": ["isbn", "quantity"],
        "properties": {
          "isbn": {"type": "string"},
          "quantity": {"type": "integer", "minimum": 1}
        }
      }
    }
  }
}
"""
SEND_MESSAGE = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
MESSAGE_SENT = """{"messageId": "$input.path('$.SendMessageResponse.SendMessageResult.MessageId')"}
"""
START_EXECUTION = r"""#set($orderId = $util.escapeJavaScript($input.params('orderId')).replaceAll("\\'", "'"))
#set($orderId = $util.escapeJavaScript($orderId).replaceAll("\\'", "'"))
#set($details = $util.escapeJavaScript($input.json('$')).replaceAll("\\'", "'"))
{
  "stateMachineArn": "${FulfilmentStateMachine}",
  "input": "{\"orderId\": \"$orderId\", \"details\": $details}"
}
"""
EXECUTION_STARTED = """{"execution": "$input.path('$.executionArn')"}
"""
PUT_ITEM = r"""#set($cartId = $util.escapeJavaScript($input.params('cartId')).replaceAll("\\'", "'"))
#set($contents = $util.escapeJavaScript($input.json('$')).replaceAll("\\'", "'"))
{
  "TableName": "${CartsTable}",
  "Item": {
    "cartId": {"S": "$cartId"},
    "contents": {"S": "$contents"},
    "savedAt": {"N": "$context.requestTimeEpoch"}
  }
}
"""
ITEM_PUT = r"""#set($cartId = $util.escapeJavaScript($input.params('cartId')).replaceAll("\\'", "'"))
{"cartId": "$cartId"}
"""
PUT_EVENTS = r"""#set($detail = $util.escapeJavaScript($input.json('$')).replaceAll("\\'", "'"))
{
  "Entries": [
    {
      "EventBusName": "${EventBus}",
      "Source": "com.example.bookshop",
      "DetailType": "BookshopEvent",
      "Detail": "$detail"
    }
  ]
}
"""
EVENTS_PUT = """#set($failed = $input.path('$.FailedEntryCount'))
#if($failed > 0)
#set($context.responseOverride.status = 502)
{"message": "The event was not taken: $input.path('$.Entries[0].ErrorCode')."}
#else
{"eventId": "$input.path('$.Entries[0].EventId')"}
#end
"""

_RECIPES = (
    Recipe(
        slug="lambda-proxy",
        title="Lambda proxy",
        description="The function gets the whole request.",
        glyph="lambda",
        api=Api(
            name="get-book",
            description="Reads one book of the catalogue.",
            parameters=(_parameter("GetBook", "function", "The function that reads a book."),),
            routes=(
                Route(
                    method="GET",
                    path="/books/{bookId}",
                    operation_name="GetBook",
                    integration=Integration(backend=Lambda(function="${GetBook}"), timeout_ms=10_000),
                ),
            ),
        ),
    ),
    Recipe(
        slug="lambda-mapping",
        title="Lambda with mapping",
        description="Templates shape event and answer.",
        glyph="lambda",
        api=Api(
            name="list-books",
            description="Lists the books of a genre, a page at a time.",
            parameters=(_parameter("ListBooks", "function", "The function that lists books."),),
            routes=(
                Route(
                    method="GET",
                    path="/books",
                    operation_name="ListBooks",
                    declared={"method.request.querystring.genre": True, "method.request.querystring.after": False},
                    validate_request_parameters=True,
                    integration=Integration(
                        backend=Lambda(function="${ListBooks}", proxy=False),
                        request_templates=_json(LIST_BOOKS_EVENT),
                        passthrough_behavior="NEVER",
                        timeout_ms=10_000,
                        integration_responses=(
                            IntegrationResponse(status_code="200"),
                            IntegrationResponse(
                                status_code="400",
                                selection_pattern=r"\[BadRequest\][\s\S]*",
                                response_templates=_json(LIST_BOOKS_REFUSED),
                            ),
                            _failed("500", r"(?!\[BadRequest\])[\s\S]+", "The books could not be listed. Try again."),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Recipe(
        slug="http-proxy",
        title="HTTP proxy",
        description="Forward to a public endpoint.",
        glyph="http",
        api=Api(
            name="publisher-book",
            description="What the publisher says of a book, straight from its own API.",
            routes=(
                Route(
                    method="GET",
                    path="/publishers/{publisherId}/books/{isbn}",
                    integration=Integration(
                        backend=Http(url="https://publishers.example.com/v2/{publisherId}/titles/{isbn}"),
                        request_parameters={
                            "integration.request.path.publisherId": "method.request.path.publisherId",
                            "integration.request.path.isbn": "method.request.path.isbn",
                            "integration.request.header.X-Request-Id": "context.requestId",
                        },
                        timeout_ms=5_000,
                    ),
                ),
            ),
        ),
    ),
    Recipe(
        slug="private-http",
        title="Private HTTP, VPC link",
        description="Reach a load balancer inside a VPC.",
        glyph="vpc",
        api=Api(
            name="notify-partner",
            description="Tells a partner of a shipment, through the partner service in the VPC.",
            parameters=(_parameter("PartnersLink", "vpc_link", "The VPC link to the partner service's load balancer."),),
            routes=(
                Route(
                    method="POST",
                    path="/partners/{partnerId}/notifications",
                    authorization_type="AWS_IAM",
                    integration=Integration(
                        backend=Http(
                            url="http://partners.internal.example.com/partners/{partnerId}/notifications", http_method="POST"
                        ),
                        connection_type="VPC_LINK",
                        vpc_link="${PartnersLink}",
                        request_parameters={
                            "integration.request.path.partnerId": "method.request.path.partnerId",
                            "integration.request.header.X-Caller": "context.identity.userArn",
                        },
                        timeout_ms=5_000,
                    ),
                ),
            ),
        ),
    ),
    Recipe(
        slug="sqs-send-message",
        title="SQS SendMessage",
        description="Queue the body, answer 202.",
        glyph="sqs",
        api=Api(
            name="orders-to-sqs",
            description="Takes an order and puts it on the queue.",
            parameters=(
                _parameter("OrdersQueue", "text", "The name of the queue, in the account of the API."),
                _parameter("SendOrdersRole", "role", "May sqs:SendMessage to the queue; trusts apigateway.amazonaws.com."),
            ),
            models=(Model(name="Order", schema=ORDER_SCHEMA),),
            routes=(
                Route(
                    method="POST",
                    path="/orders",
                    operation_name="PlaceOrder",
                    request_models={"application/json": "Order"},
                    validate_request_body=True,
                    integration=Integration(
                        backend=AwsService(service="sqs", path="${AWS::AccountId}/${OrdersQueue}"),
                        credentials_role="${SendOrdersRole}",
                        request_parameters={"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
                        request_templates=_json(SEND_MESSAGE),
                        passthrough_behavior="NEVER",
                        timeout_ms=5_000,
                        integration_responses=(
                            IntegrationResponse(status_code="202", response_templates=_json(MESSAGE_SENT)),
                            _failed("400", r"4\d{2}", "The queue refused the order."),
                            _failed("502", r"5\d{2}", "The order was not queued. Send it again."),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Recipe(
        slug="step-functions-start-execution",
        title="Step Functions StartExecution",
        description="Start a state machine.",
        glyph="sfn",
        api=Api(
            name="start-fulfilment",
            description="Starts the fulfilment of an order.",
            parameters=(
                _parameter("FulfilmentStateMachine", "text", "The ARN of the state machine."),
                _parameter("StartFulfilmentRole", "role", "May states:StartExecution; trusts apigateway.amazonaws.com."),
            ),
            routes=(
                Route(
                    method="POST",
                    path="/orders/{orderId}/fulfilment",
                    operation_name="StartFulfilment",
                    integration=Integration(
                        backend=AwsService(service="states", action="StartExecution"),
                        credentials_role="${StartFulfilmentRole}",
                        request_templates=_json(START_EXECUTION, substituted=True),
                        passthrough_behavior="NEVER",
                        timeout_ms=5_000,
                        integration_responses=(
                            IntegrationResponse(status_code="202", response_templates=_json(EXECUTION_STARTED)),
                            _failed("400", r"4\d{2}", "The fulfilment was refused."),
                            _failed("502", r"5\d{2}", "The fulfilment was not started. Send it again."),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Recipe(
        slug="dynamodb-put-item",
        title="DynamoDB PutItem",
        description="Write an item, no function between.",
        glyph="ddb",
        api=Api(
            name="cart-session",
            description="Keeps a shopper's cart.",
            parameters=(
                _parameter("CartsTable", "text", "The name of the table; its key is cartId, a string."),
                _parameter("PutCartsRole", "role", "May dynamodb:PutItem on the table; trusts apigateway.amazonaws.com."),
            ),
            routes=(
                Route(
                    method="PUT",
                    path="/carts/{cartId}",
                    operation_name="SaveCart",
                    integration=Integration(
                        backend=AwsService(service="dynamodb", action="PutItem"),
                        credentials_role="${PutCartsRole}",
                        request_templates=_json(PUT_ITEM, substituted=True),
                        passthrough_behavior="NEVER",
                        timeout_ms=5_000,
                        integration_responses=(
                            IntegrationResponse(status_code="200", response_templates=_json(ITEM_PUT)),
                            _failed("400", r"4\d{2}", "The cart was refused."),
                            _failed("502", r"5\d{2}", "The cart was not saved. Send it again."),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Recipe(
        slug="s3-get-object",
        title="S3 GetObject",
        description="Serve an object, binary safe.",
        glyph="s3",
        api=Api(
            name="invoice-pdf",
            description="Serves an invoice from the bucket. Callers accept application/pdf.",
            parameters=(
                _parameter("InvoicesBucket", "text", "The name of the bucket."),
                _parameter("ReadInvoicesRole", "role", "May s3:GetObject in the bucket; trusts apigateway.amazonaws.com."),
            ),
            binary_media_types=("application/pdf",),
            routes=(
                Route(
                    method="GET",
                    path="/invoices/{invoiceId}",
                    operation_name="GetInvoice",
                    authorization_type="AWS_IAM",
                    integration=Integration(
                        backend=AwsService(service="s3", path="${InvoicesBucket}/invoices/{invoiceId}.pdf", http_method="GET"),
                        credentials_role="${ReadInvoicesRole}",
                        request_parameters={"integration.request.path.invoiceId": "method.request.path.invoiceId"},
                        timeout_ms=10_000,
                        integration_responses=(
                            IntegrationResponse(
                                status_code="200",
                                response_parameters={
                                    "method.response.header.Content-Type": "integration.response.header.Content-Type",
                                    "method.response.header.ETag": "integration.response.header.ETag",
                                    "method.response.header.Cache-Control": "'private, max-age=300'",
                                },
                            ),
                            IntegrationResponse(
                                status_code="404",
                                selection_pattern="403|404",
                                content_handling="CONVERT_TO_TEXT",
                                response_parameters={"method.response.header.Content-Type": "'application/json'"},
                                response_templates=_json('{"message": "There is no such invoice."}\n'),
                            ),
                            IntegrationResponse(
                                status_code="502",
                                selection_pattern=r"5\d{2}",
                                content_handling="CONVERT_TO_TEXT",
                                response_parameters={"method.response.header.Content-Type": "'application/json'"},
                                response_templates=_json('{"message": "The invoice could not be read. Try again."}\n'),
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Recipe(
        slug="eventbridge-put-events",
        title="EventBridge PutEvents",
        description="Publish an event to a bus.",
        glyph="evb",
        api=Api(
            name="publish-event",
            description="Puts what happened in a shop on the event bus.",
            parameters=(
                _parameter("EventBus", "text", "The name or ARN of the event bus."),
                _parameter("PutEventsRole", "role", "May events:PutEvents on the bus; trusts apigateway.amazonaws.com."),
            ),
            routes=(
                Route(
                    method="POST",
                    path="/events",
                    operation_name="PublishEvent",
                    responses=(MethodResponse(status_code="502"),),
                    integration=Integration(
                        backend=AwsService(service="events", action="PutEvents"),
                        credentials_role="${PutEventsRole}",
                        request_parameters={
                            "integration.request.header.Content-Type": "'application/x-amz-json-1.1'",
                            "integration.request.header.X-Amz-Target": "'AWSEvents.PutEvents'",
                        },
                        request_templates=_json(PUT_EVENTS, substituted=True),
                        passthrough_behavior="NEVER",
                        timeout_ms=5_000,
                        integration_responses=(
                            IntegrationResponse(status_code="202", response_templates=_json(EVENTS_PUT)),
                            _failed("400", r"4\d{2}", "The event was refused."),
                            _failed("500", r"5\d{2}", "The event was not published. Send it again."),
                        ),
                    ),
                ),
            ),
        ),
    ),
    Recipe(
        slug="mock-cors",
        title="Mock CORS",
        description="Answer OPTIONS at the gate.",
        glyph="mock",
        api=Api(
            name="cors-preflight",
            description="Answers the preflight requests of the shop's pages.",
            routes=(
                Route(
                    method="OPTIONS",
                    path="/{proxy+}",
                    integration=Integration(
                        backend=Mock(),
                        request_templates=_json('{"statusCode": 204}'),
                        passthrough_behavior="NEVER",
                        integration_responses=(
                            IntegrationResponse(
                                status_code="204",
                                response_parameters={
                                    "method.response.header.Access-Control-Allow-Origin": "'https://shop.example.com'",
                                    "method.response.header.Access-Control-Allow-Methods": "'GET,POST,PUT,DELETE,OPTIONS'",
                                    "method.response.header.Access-Control-Allow-Headers": "'Authorization,Content-Type'",
                                    "method.response.header.Access-Control-Max-Age": "'600'",
                                    "method.response.header.Vary": "'Origin'",
                                },
                            ),
                        ),
                    ),
                ),
            ),
        ),
    ),
)
RECIPES: Mapping[str, Recipe] = {recipe.slug: recipe for recipe in _RECIPES}
"""The recipes by slug, in the order in which they are offered."""

BROKEN = Recipe(
    slug="broken",
    title="Three mistakes",
    description="Two mistakes that AWS refuses, and one that it lets you deploy only with a raised quota.",
    glyph="vpc",
    api=Api(
        name="legacy-billing-http",
        description="Passes billing calls on to the old billing service.",
        routes=(
            Route(
                method="ANY",
                path="/billing/{proxy+}",
                integration=Integration(
                    backend=Http(url="http://billing.internal.example.com/{proxy}", proxy=False, http_method="ANY"),
                    connection_type="VPC_LINK",
                    request_parameters={
                        "integration.request.path.proxy": "method.request.path.proxy",
                        "integration.request.header.X-Source": "bookshop",
                    },
                    timeout_ms=45_000,
                    integration_responses=(
                        IntegrationResponse(status_code="200"),
                        IntegrationResponse(status_code="400", selection_pattern=r"4\d{2}"),
                        IntegrationResponse(status_code="502", selection_pattern=r"5\d{2}"),
                    ),
                ),
            ),
        ),
    ),
)
"""No VPC link is chosen (V1), a static value lacks its quotes (P3), and the timeout needs a raised quota (X1-quota)."""
