"""What can be written in a mapping template, for an editor to complete and explain; the objects themselves are next door."""

from typing import NamedTuple


class Word(NamedTuple):
    """One reference or directive."""

    name: str
    """As a template spells it: `$input.path`, `#foreach`."""
    form: str
    """How it is used, or what it holds."""
    text: str = ""
    """What it does, in a sentence or two."""


DIRECTIVES = (
    Word("#set", "#set($name = value)", "Sets a variable, or an override of $context."),
    Word("#if", "#if(condition) … #end", "null and false do not hold; everything else does, 0 and the empty text too."),
    Word("#elseif", "#elseif(condition)", "Asked where none before it held."),
    Word("#else", "#else"),
    Word("#end", "#end", "Ends #if, #foreach, #define and #macro."),
    Word("#foreach", "#foreach($item in $list) … #end", "API Gateway goes round 1,000 times at most."),
    Word("#break", "#break", "Ends the innermost #foreach."),
    Word("#stop", "#stop", "Ends the template here."),
    Word("#define", "#define($name) … #end", "A piece of template that renders where $name stands."),
    Word("#macro", "#macro(name $argument) … #end", "A directive of your own: #name(value)."),
    Word("#evaluate", "#evaluate($text)", "Renders a text as a template."),
)
INPUT = (
    Word("$input.body", "the body as text", "{} where the request has none."),
    Word("$input.json", "$input.json('$.path')", 'What stands there, as JSON text; "" where nothing does.'),
    Word(
        "$input.path",
        "$input.path('$.path')",
        "What stands there, as a value with its methods; the empty text where nothing does.",
    ),
    Word(
        "$input.params",
        "$input.params('name')",
        "The parameter of that name, from the path, else the query string, else the headers.",
    ),
)
UTIL = (
    Word(
        "$util.escapeJavaScript",
        "$util.escapeJavaScript($text)",
        'Escapes for a JSON string. It makes \\\' too, which JSON does not know: append .replaceAll("\\\\\'", "\'").',
    ),
    Word("$util.parseJson", "$util.parseJson($text)", "The value of a JSON text."),
    Word("$util.urlEncode", "$util.urlEncode($text)", "As application/x-www-form-urlencoded writes it: a space becomes +."),
    Word("$util.urlDecode", "$util.urlDecode($text)", "The other way."),
    Word("$util.base64Encode", "$util.base64Encode($text)"),
    Word("$util.base64Decode", "$util.base64Decode($text)"),
)
CONTEXT = (
    Word("$context.accountId", "the account of the API's owner"),
    Word("$context.apiId", "the API"),
    Word("$context.authorizer.principalId", "who a Lambda authorizer said is calling"),
    Word(
        "$context.authorizer.claims",
        "$context.authorizer.claims.name",
        "A claim of the token that a Cognito authorizer accepted; without a name it is null.",
    ),
    Word("$context.authorizer", "$context.authorizer.name", "What a Lambda authorizer put into its context, as text."),
    Word("$context.awsEndpointRequestId", "the request id of the AWS endpoint"),
    Word("$context.deploymentId", "the deployment"),
    Word("$context.domainName", "the full domain name that was called"),
    Word("$context.domainPrefix", "its first label"),
    Word("$context.error.message", "why API Gateway answers with an error", "In gateway responses and access logs only."),
    Word("$context.error.messageString", "the same in double quotes"),
    Word("$context.error.responseType", "the type of the gateway response"),
    Word("$context.error.validationErrorString", "what a request validator found"),
    Word("$context.extendedRequestId", "the extended id of the request"),
    Word("$context.httpMethod", "the method"),
    *(
        Word(f"$context.identity.{name}", form)
        for name, form in (
            ("accountId", "the caller's account"),
            ("apiKey", "the API key"),
            ("apiKeyId", "its id"),
            ("caller", "the principal that signed the request"),
            ("clientCert.clientCertPem", "the client certificate, with mutual TLS"),
            ("clientCert.subjectDN", "its subject"),
            ("clientCert.issuerDN", "its issuer"),
            ("clientCert.serialNumber", "its serial number"),
            ("clientCert.validity.notBefore", "from when it holds"),
            ("clientCert.validity.notAfter", "until when it holds"),
            ("cognitoAuthenticationProvider", "the Cognito providers of the caller"),
            ("cognitoAuthenticationType", "authenticated or unauthenticated"),
            ("cognitoIdentityId", "the Cognito identity"),
            ("cognitoIdentityPoolId", "its pool"),
            ("principalOrgId", "the AWS organization"),
            ("sourceIp", "the address that the call came from"),
            ("user", "the principal that is authorized"),
            ("userAgent", "the User-Agent header"),
            ("userArn", "the ARN of the principal"),
            ("vpcId", "the VPC, of a private API"),
            ("vpceId", "the VPC endpoint, of a private API"),
        )
    ),
    Word("$context.isCanaryRequest", "true where the canary took it"),
    Word("$context.path", "the path of the request, the stage in front"),
    Word("$context.protocol", "such as HTTP/1.1"),
    Word("$context.requestId", "the id of the request", "A client can set it; extendedRequestId it cannot."),
    Word("$context.requestTime", "when it came, as 09/Apr/2015:12:34:56 +0000"),
    Word("$context.requestTimeEpoch", "when it came, in milliseconds"),
    *(
        Word(
            f"$context.requestOverride.{place}",
            f"#set($context.requestOverride.{place}.name = value)",
            f"Sets {what} of the endpoint request; once.",
        )
        for place, what in (("header", "a header"), ("path", "a path variable"), ("querystring", "a query parameter"))
    ),
    Word("$context.resourceId", "the resource"),
    Word("$context.resourcePath", "its path, as /books/{id}"),
    Word(
        "$context.responseOverride.header",
        "#set($context.responseOverride.header.name = value)",
        "Sets a header of the response; once.",
    ),
    Word(
        "$context.responseOverride.status",
        "#set($context.responseOverride.status = 404)",
        "Sets the status of the response; once.",
    ),
    Word("$context.stage", "the stage"),
    Word("$context.wafResponseCode", "what AWS WAF answered"),
    Word("$context.webaclArn", "the web ACL"),
)
LOOP = (
    Word("$foreach.count", "which round it is, from 1"),
    Word("$foreach.index", "which round it is, from 0"),
    Word("$foreach.hasNext", "whether another round follows"),
    Word("$velocityCount", "which round it is, from 1"),
)
OBJECTS = (
    Word("$input", "the request, or in a response template the backend's answer"),
    Word("$util", "functions for texts"),
    Word("$context", "the call, its caller, the API, and overrides"),
    Word("$stageVariables", "$stageVariables.name", "A variable of the stage; the empty text where it has none of that name."),
)
WORDS = (*OBJECTS, *INPUT, *UTIL, *CONTEXT, *LOOP, *DIRECTIVES)
