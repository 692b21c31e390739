"""Sends the requests that it reads from standard input with the official Python SDK, and prints one line per request.

Arguments: the endpoint and the project id. `../protocol.ts` defines the lines of standard input and standard output.
"""

import importlib
import inspect
import json
import re
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException

ENDPOINT, PROJECT = sys.argv[1:]
TYPES = {
    "str": "string",
    "date": "string",
    "datetime": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "object": "any",
}
CLIENTS = {}


def module(service):
    return importlib.import_module(f"huaweicloudsdk{service}.v2")


def client_class(service):
    return getattr(module(service), f"{service.capitalize()}Client")


def client(service, credentials):
    """Returns one client for each pair of service and access key."""
    key = (service, credentials["ak"], credentials["sk"])
    if key not in CLIENTS:
        basic = BasicCredentials(credentials["ak"], credentials["sk"], PROJECT)
        basic.with_security_token(credentials["securityToken"])
        CLIENTS[key] = client_class(service).new_builder().with_credentials(basic).with_endpoint(ENDPOINT).build()
    return CLIENTS[key]


def method_name(service, operation):
    """Returns the method of an operation, such as `list_servers_by_tag` for `ListServersByTag`, or None."""
    wanted = operation.lower()
    return next((name for name in dir(client_class(service)) if name.replace("_", "") == wanted), None)


def build(service, kind, value):
    """Converts JSON to the type `kind` of the SDK. The names of JSON fields are the names on the wire."""
    inner = re.fullmatch(r"list\[(.*)\]", kind)
    if inner:
        return [build(service, inner[1], item) for item in value]
    model = getattr(module(service), kind, None)
    if model is None:
        return value
    names = {wire: name for name, wire in model.attribute_map.items()}
    fields = {names[wire]: build(service, model.openapi_types[names[wire]], item) for wire, item in value.items()}
    return model(**fields)


def send(request):
    service, operation = request["service"], request["operation"]
    method = method_name(service, operation)
    if method is None:
        return {"unsupported": True}
    try:
        response = getattr(client(service, request["credentials"]), method)(
            build(service, f"{operation}Request", request["request"])
        )
    except ServiceResponseException as error:
        return {"status": error.status_code, "code": error.error_code}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"status": response.status_code, "body": (response.raw_content or b"").decode()}


def normal_type(service, kind, models):
    """Returns the type in the notation of `models.json`, and adds the models that the type uses."""
    inner = re.fullmatch(r"list\[(.*)\]", kind)
    if inner:
        return f"[{normal_type(service, inner[1], models)}]"
    inner = re.fullmatch(r"dict\(str, (.*)\)", kind)
    if inner:
        return f"{{{normal_type(service, inner[1], models)}}}"
    if kind in TYPES:
        return TYPES[kind]
    name = f"{service}.{kind}"
    if name not in models:
        model = getattr(module(service), kind)
        # The constructor assigns a required field without a condition, so the line has no deeper indentation.
        required = re.findall(r"^        self\.(\w+) = \1$", inspect.getsource(model.__init__), re.M)
        models[name] = fields = {}
        for field, wire in model.attribute_map.items():
            if field != "x_request_id":
                text = normal_type(service, model.openapi_types[field], models)
                fields[wire] = text + ("!" if field in required else "")
    return name


def describe(operations):
    """Returns the method, the path and the type of the response of each operation, and all models of these responses."""
    models, described = {}, {}
    for service, operation in operations:
        method = method_name(service, operation)
        if method is None:
            continue
        request = getattr(module(service), f"{operation}Request")()
        info = getattr(client_class(service), f"_{method}_http_info")(request)
        described[f"{service}.{operation}"] = {
            "method": info["method"],
            "path": info["resource_path"],
            "response": normal_type(service, info["response_type"], models),
        }
    return {"operations": described, "models": models}


for line in sys.stdin:
    message = json.loads(line)
    reply = describe(message["describe"]) if "describe" in message else send(message)
    print(json.dumps(reply), flush=True)
