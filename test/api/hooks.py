"""Extends schemathesis: checks that it lacks, exclusions with their reasons, and a count of all cases.

schemathesis loads this file. The variable API_TEST_RESULT names the file to which it writes the counts as JSON.
"""

import atexit
import collections
import hashlib
import json
import os
import re

import schemathesis

# Headers that the HTTP server adds to every response.
TRANSPORT_HEADERS = {"connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"}

counts = collections.defaultdict(collections.Counter)
modes = collections.Counter()
excluded = collections.Counter()
digest = hashlib.sha256()
# The requests whose response took more than SLOW_SECONDS.
slow = []
SLOW_SECONDS = 3


def is_json_object(value):
    return isinstance(value, dict)


def parse(text):
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def error_of(response):
    body = parse(response.text)
    return body.get("error", {}) if is_json_object(body) and is_json_object(body.get("error")) else {}


# Each exclusion: a name, the failure that it excludes, and a test of the case and the response. The reason is the comment.
EXCLUSIONS = []


def exclusion(*failures):
    def register(test):
        EXCLUSIONS.append((test.__name__, failures, test))
        return test

    return register


# The document says that 502 with `"status": "failed"` is the response of pre-deploy if a snapshot failed, for example because a disk
# does not exist. schemathesis takes every 5xx as a failure of the server.
@exclusion("ServerError")
def failed_deployment(case, response):
    body = parse(response.text)
    return response.status_code == 502 and is_json_object(body) and body.get("status") == "failed"


# The document limits the bytes of some strings with `x-max-bytes` and compares ids regardless of case with `x-unique-ids`. JSON
# Schema has no such keywords. The check `extended_keywords` below tests that the functions apply them.
@exclusion("RejectedPositiveData")
def extended_keyword(case, response):
    return error_of(response).get("code") == "InvalidRequest" and bool(extended_faults(case))


# EVS allows 20 tags of a snapshot, and the functions add 4 tags to those of the caller.
MAX_TAGS = 16


# EVS decides which characters a tag may contain, and the public pages differ. The functions pass the tags on, and the code in the
# response is the code of EVS instead of `InvalidRequest`. EVS.1061 means too many tags. EVS.1062 means a character that the embedded
# cloud rejects: it allows letters, digits, underscores, hyphens, and periods in a value.
@exclusion("RejectedPositiveData")
def tags_that_evs_rejects(case, response):
    body = case.body if is_json_object(case.body) else {}
    snapshot = body.get("snapshot", body.get("snapshot_group"))
    tags = snapshot.get("tags") if is_json_object(snapshot) else None
    if not is_json_object(tags):
        return False
    if len(tags) > MAX_TAGS:
        return error_of(response).get("code") == "EVS.1061"
    invalid = [key for key, value in tags.items() if not re.fullmatch(r"[\w-]+", key) or not re.fullmatch(r"[\w.-]*", value)]
    return error_of(response).get("code") == "EVS.1062" and bool(invalid)


# The description of `force` says that EVS rejects an attached disk without it. The code in the response is the code of EVS, which
# is also the code for a malformed body.
@exclusion("RejectedPositiveData")
def attached_disk_without_force(case, response):
    if case.operation.label != "POST /create-snapshot" or not is_json_object(case.body):
        return False
    snapshot = case.body.get("snapshot")
    error = error_of(response)
    is_in_use = error.get("code") == "EVS.5400" and "current status is: in-use" in str(error.get("message"))
    return is_in_use and is_json_object(snapshot) and snapshot.get("force", False) is False


# EVS rejects a group with a disk that is not attached to the server. JSON Schema cannot express this rule.
@exclusion("RejectedPositiveData")
def disk_of_another_server(case, response):
    error = error_of(response)
    is_group = case.operation.label == "POST /create-snapshot-group"
    return is_group and error.get("code") == "EVS.5400" and "is not attached to server" in str(error.get("message"))


# The description of `tags` says that a key must not occur with two values. JSON Schema cannot express this rule.
@exclusion("RejectedPositiveData")
def key_with_two_values(case, response):
    tags = (case.query or {}).get("tags")
    # schemathesis joins the values of `tags` with commas before it sends the request.
    tags = tags.split(",") if isinstance(tags, str) else tags
    pairs = {tuple(part.strip() for part in tag.split("=", 1)) for tag in tags} if isinstance(tags, list) else set()
    return len({key for key, _ in pairs}) < len(pairs)


# If no parameter contains a character that must be encoded, the function decodes an escape such as `%2C` a second time, because it
# is not documented whether the gateway decodes parameters (SOURCES.md#functiongraph-apig-query).
@exclusion("RejectedPositiveData", "AcceptedNegativeData")
def escape_in_query(case, response):
    return re.search(r"%[0-9A-Fa-f]{2}", json.dumps(case.query or {}, ensure_ascii=False)) is not None


def resolve(root, schema):
    while is_json_object(schema) and "$ref" in schema:
        target = root
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key.replace("~1", "/").replace("~0", "~")]
        schema = target
    return schema


def faults_in(root, schema, value):
    """Returns the faults of a value by the keywords x-max-bytes, x-unique-ids and x-required-any-of."""
    schema = resolve(root, schema)
    if not is_json_object(schema):
        return []
    faults = []
    if isinstance(value, str) and len(value.encode("utf-8", "replace")) > schema.get("x-max-bytes", float("inf")):
        faults.append("x-max-bytes")
    if isinstance(value, list):
        ids = [one.lower() for one in value if isinstance(one, str)]
        if schema.get("x-unique-ids") and len(set(ids)) < len(ids):
            faults.append("x-unique-ids")
        for one in value:
            faults += faults_in(root, schema.get("items", {}), one)
    if is_json_object(value):
        names = schema.get("x-required-any-of")
        if names and not any(name in value for name in names):
            faults.append("x-required-any-of")
        for name, inner in schema.get("properties", {}).items():
            if name in value:
                faults += faults_in(root, inner, value[name])
        tag = schema.get("discriminator", {}).get("propertyName")
        for branch in schema.get("oneOf", []):
            chosen = resolve(root, branch)
            if tag and tag in value and chosen.get("properties", {}).get(tag, {}).get("const") == value[tag]:
                faults += faults_in(root, chosen, value)
    return faults


def extended_faults(case):
    root = case.operation.schema.raw_schema
    operation = root["paths"][case.operation.path][case.operation.method.lower()]
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return faults_in(root, schema, case.body) if schema else []


def is_other_method(case):
    return case.method.upper() != case.operation.method.upper()


@schemathesis.check
def extended_keywords(ctx, response, case):
    """Fails if a function accepts a body that violates an `x-` keyword of the document."""
    if is_other_method(case) or response.status_code >= 300:
        return
    faults = extended_faults(case)
    assert not faults, f"Accepted a body that violates {', '.join(faults)}"


@schemathesis.check
def documented_headers(ctx, response, case):
    """Fails if a response has a header that the document does not describe."""
    if is_other_method(case):
        return
    documented = case.operation.definition.raw["responses"].get(str(response.status_code))
    if documented is None:
        return
    documented = resolve(case.operation.schema.raw_schema, documented)
    known = TRANSPORT_HEADERS | {name.lower() for name in documented.get("headers", {})}
    unknown = sorted({name.lower() for name in response.headers} - known)
    assert not unknown, f"Undocumented headers: {', '.join(unknown)}"


@schemathesis.check
def refused_other_method(ctx, response, case):
    """Fails if a function does not refuse another method with the documented 405 and the header `allow`."""
    if not is_other_method(case) or case.method.upper() in ("HEAD", "OPTIONS"):
        return
    assert response.status_code == 405, f"Expected 405 for the method {case.method}, got {response.status_code}"
    allow = response.headers.get("allow", [None])[0]
    assert allow == case.operation.method.upper(), f"Expected the method {case.operation.method} in allow, got {allow}"


@schemathesis.hook
def filter_failure(ctx, failure, case, response):
    for name, failures, test in EXCLUSIONS:
        if type(failure).__name__ in failures and test(case, response):
            excluded[name] += 1
            return False
    return True


@schemathesis.hook
def after_call(ctx, case, response):
    counts[case.operation.label][str(response.status_code)] += 1
    modes["invalid" if case.meta is not None and case.meta.generation.mode.is_negative else "valid"] += 1
    request = response.request
    body = request.body if isinstance(request.body, bytes) else str(request.body).encode("utf-8", "replace")
    path = request.url.split("/", 3)[-1]
    if response.elapsed > SLOW_SECONDS:
        slow.append(f"{response.elapsed:.0f} s: {response.status_code} {request.method} /{path} {body.decode('utf-8', 'replace')}"[:500])
    digest.update(f"{request.method} {path}\n".encode("utf-8", "replace") + body + b"\n")


@atexit.register
def write_result():
    path = os.environ.get("API_TEST_RESULT")
    if path is None or not counts:
        return
    result = {"counts": counts, "modes": modes, "excluded": excluded, "slow": slow, "digest": digest.hexdigest()[:16]}
    result["exclusions"] = [name for name, _, _ in EXCLUSIONS]
    with open(path, "w") as file:
        json.dump(result, file)
