"""What no schema can say, told to schemathesis: rules that join two fields, and which things there are.

Only requests that are right by the document are touched, and only where such a rule stands. Requests that are meant to be
wrong go out as they were made and must be refused. Whatever one value alone must keep belongs in the document.
"""

import base64
import datetime
import json
import os
import struct
import urllib.request
import uuid

import schemathesis

ROLE = os.environ["SOUK_ROLE"]
CATEGORY = os.environ["SOUK_CATEGORY"]
# What there is, by the path that names it.
THINGS = {
    "/api/v1/products/{id}": os.environ["SOUK_PRODUCT"],
    "/api/v1/reviews/{id}": os.environ["SOUK_REVIEW"],
    "/api/v1/categories/{id}": CATEGORY,
    "/api/v1/jobs/{id}": os.environ["SOUK_JOB"],
    "/api/v1/users/{id}": os.environ["SOUK_USER"],
    "/api/v1/sellers/{id}": os.environ["SOUK_SELLER"],
    "/api/v1/api-keys/{id}": os.environ["SOUK_KEY"],
    "/api/v1/models3d/{id}": os.environ["SOUK_MODEL"],
    "/api/v1/files/{id}": os.environ["SOUK_FILE"],
    "/api/v1/libraries/{id}": os.environ["SOUK_LIBRARY"],
    "/api/v1/uploads/{id}": os.environ["SOUK_UPLOAD"],
    "/api/v1/hook-events/{id}": os.environ["SOUK_HOOK"],
    "/api/v1/webhooks/endpoints/{id}": os.environ["SOUK_WEBHOOK"],
    "/api/v1/conversations/{id}": os.environ["SOUK_CONVERSATION"],
    "/api/v1/assistant/budgets/{id}": os.environ["SOUK_BUDGET"],
    # The room of all.
    "/api/v1/rooms/{id}": "00000000-0000-7000-8000-000000000001",
}


def cube():
    """A cube of 20 mm as STL of fixed records."""
    sides = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5))
    facets = [half for a, b, c, d in sides for half in ((a, b, c), (a, c, d))]
    corner = [[20.0 * (n >> axis & 1) for axis in range(3)] for n in range(8)]
    records = (struct.pack("<12fH", 0, 0, 0, *(x for n in facet for x in corner[n]), 0) for facet in facets)
    return bytes(80) + struct.pack("<I", len(facets)) + b"".join(records)


CUBE = cube()

# What asks for a fresh proof of who one is.
SENSITIVE = (
    "begin_totp",
    "confirm_totp",
    "delete_totp",
    "renew_recovery_codes",
    "delete_user_factors",
    "begin_passkey",
    "create_passkey",
    "delete_passkey",
    "create_api_key",
    "link_identity",
    "unlink_identity",
    "impersonate_user",
    "create_data_export",
    "get_data_export_archive",
    "get_webhook_secret",
    "set_assistant_provider_key",
)

# The smallest picture there is, for uploads: what makes a file a picture is no matter of schemas.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)


def is_right(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def before_call(context, case, kwargs):
    if ROLE == "anonymous":
        # What it learns from signing up is not what somebody unknown has.
        for headers in (case.headers, kwargs.get("headers")):
            if headers:
                headers.pop("Authorization", None)
    if case.method == "DELETE" and case.path_parameters.get("id") in THINGS.values():
        # The requests that follow need it.
        case.path_parameters["id"] = str(uuid.uuid4())
    if not is_right(case):
        return
    of_path(case)
    if "Idempotency-Key" in case.headers:
        # A key stands for one request; the same few short ones would stand for all.
        case.headers["Idempotency-Key"] = (case.headers["Idempotency-Key"] + uuid.uuid4().hex)[-255:]
    if case.operation.definition.raw["operationId"] == "upload_image":
        of_upload(case)
    elif case.operation.definition.raw["operationId"] == "order_images":
        case.body = {"order": images(kwargs.get("headers") or {})}
    elif isinstance(case.body, dict):
        of_body(case)
    if case.operation.definition.raw["operationId"] in ("create_model3d", "create_model3d_version"):
        # What a file holds, no schema says.
        case.body = CUBE
        case.query = {**case.query, "fileName": "cube.stl"}
        for name in [name for name in case.headers if name.lower().endswith("digest")]:
            case.headers.pop(name)
        if "productId" in case.query:
            case.query["productId"] = os.environ["SOUK_PRODUCT"]
    if "number" in case.path_parameters:
        case.path_parameters["number"] = 1
    # Nobody here is a member of an account that is made up.
    case.headers.pop("Souk-Seller", None)
    if case.query:
        of_query(case.query)
        if case.path in ("/api/v1/api-keys", "/api/v1/webhooks/endpoints"):
            case.query.pop("sellerId", None)
        # What others spent is told to who asks for all of it, and time runs forward.
        if case.path.startswith("/api/v1/assistant/") and "userId" in case.query:
            case.query["scope"] = "all"
        if case.path.startswith("/api/v1/assistant/") and "from" in case.query and "to" in case.query:
            case.query["from"], case.query["to"] = "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"


def of_path(case):
    for path, there_is in THINGS.items():
        if case.path.startswith(path) and case.method != "DELETE":
            case.path_parameters["id"] = there_is
    if case.path.startswith("/api/v1/assistant/prompts/{name}") and case.method != "DELETE":
        case.path_parameters["name"] = os.environ["SOUK_PROMPT"]
        # What a template names must be declared: here is one that fits whatever else is said.
        if isinstance(case.body, dict) and case.path.endswith("/versions"):
            of_version(case.body)
        # A version has one share.
        if isinstance(case.body, dict) and case.path.endswith("/split"):
            case.body["shares"] = [{"version": 1, "weight": 1}]


def of_version(body):
    body["messages"] = [{"role": "user", "template": "Describe {{ title }}."}]
    body["variables"] = [{"name": "title", "type": "text", "default": "Lamp"}]
    body.pop("examples", None)
    # Words and a schema are for the forms that have them.
    body["answer"] = {"type": "text"}
    body["reasoning"] = {"form": "none"}


def of_upload(case):
    if isinstance(case.body, dict):
        case.body["file"] = PICTURE
        # The path names it.
        case.body.pop("productId", None)
    else:
        case.body = PICTURE


def images(headers):
    """The pictures of the product, as they are now, for who sends these headers."""
    address = f"{os.environ['SOUK_URL']}/api/v1/products/{THINGS['/api/v1/products/{id}']}/images"
    caller = {name: value for name, value in headers.items() if name.lower() == "authorization"}
    with urllib.request.urlopen(urllib.request.Request(address, headers=caller)) as answer:
        return [image["id"] for image in json.load(answer)["items"]]


def of_body(case):
    body = case.body
    # A model stays where it is: the requests that follow need it.
    if case.path == "/api/v1/models3d/{id}":
        body.pop("productId", None)
    # A category is one that there is, and none stands below itself.
    for name in ("categoryId", "parentId"):
        if isinstance(body.get(name), str):
            body[name] = None if case.method == "PATCH" and name == "parentId" else CATEGORY
    # A product that everybody may see stays one: the requests of others that follow need it.
    if case.path == "/api/v1/products/{id}" and "status" in body:
        body["status"] = "published"
    # The version read is told in the body or by If-Match.
    if "If-Match" in case.headers:
        body.pop("version", None)
    # A refresh token is sent, or the cookie of one, which no tool has.
    if case.path.endswith("/auth/refresh"):
        body.setdefault("refreshToken", "souk_rt_")
        body["refreshToken"] = body["refreshToken"] or "souk_rt_"
    # Nobody has the address of who has none; tools find it in answers.
    if str(body.get("email", "")).endswith("@no-address.invalid"):
        body["email"] = "somebody@example.com"
    # A link leads where the shop allows, and a new password is none that many chose.
    if "redirectUrl" in body:
        body["redirectUrl"] = None
    if isinstance(body.get("password"), str):
        body["password"] = (body["password"] + uuid.uuid4().hex)[-1024:]
    # Who one is is proved anew by one thing; and nobody's password or address changes under the tool.
    if case.path.endswith("/auth/reauthenticate"):
        for name in ("emailCode", "ceremony", "credential"):
            body.pop(name, None)
        body["password"] = "not mine"
    if case.path.endswith(("/auth/password", "/auth/email-change")):
        body["currentPassword"] = "not mine"
    # A conversation has words of its own or those of a prompt, of which there is none for conversations here.
    if case.path == "/api/v1/conversations":
        body.pop("prompt", None)
    # What is asked has words, and no branch of a conversation is made up.
    if case.path == "/api/v1/chat":
        body.pop("message", None)
        body["messages"] = [{"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hello?"}]}]
    body.pop("activeMessageId", None)
    # The names of built-in roles are taken for ever.
    if case.path == "/api/v1/roles" and body.get("name") in ("guest", "user", "seller", "admin"):
        body["name"] += "_of_ours"
    # No name of a room could be taken for an id.
    if case.path == "/api/v1/rooms" and looks_like_an_id(body.get("name")):
        body["name"] = "room" + body["name"][4:]
    # What is imposed ends in the future.
    for name in ("until", "expiresAt"):
        if name in body:
            body[name] = None
    # An account of one's own is named by its owner only.
    if "scopes" in body:
        body.pop("sellerId", None)
    # A webhook goes to nobody, of types that there are; and what is sent again was sent a while ago.
    if case.path.startswith("/api/v1/webhooks/"):
        of_webhook(body)
    # What a tool is given, its own schema says, and a confirmation is what the server made of it.
    if case.path == "/api/v1/assistant/tools/calls":
        body.update(tool="search_products", arguments={"query": "lamp"})
        body.pop("confirmation", None)
    if case.path.startswith("/api/v1/assistant/"):
        of_assistant(case, body)
    # A batch changes the category, the price, or both.
    if case.path.endswith("/batch-update") and body.get("categoryId") is None and body.get("discount") is None:
        body["discount"] = 10


def of_assistant(case, body):
    # What was spent keeps its price, so one begins in the future or now.
    if "from" in body:
        body["from"] = None
    # A budget says how much, and one of one thing says of which kind.
    if "/budgets" in case.path and all(body.get(name) is None for name in ("cost", "tokens", "calls")):
        body["cost"] = "1"
    if body.get("by") in ("all", "model"):
        body["subjectId"] = None


def of_webhook(body):
    for name, value in (
        ("url", "https://webhook.invalid/hook"),
        ("eventTypes", ["product.updated"]),
        ("eventType", "product.updated"),
        ("channels", ["products"]),
        ("since", datetime.datetime.now(datetime.timezone.utc).isoformat()),
    ):
        if body.get(name) is not None:
            body[name] = value
    # The first request that switches it off would be in the way of those that follow.
    if body.get("enabled") is not None:
        body["enabled"] = True
    for name in ("sellerId", "shop"):
        body.pop(name, None)


def looks_like_an_id(name):
    try:
        return isinstance(name, str) and bool(uuid.UUID(name))
    except ValueError:
        return False


def of_query(query):
    if isinstance(query.get("categoryId"), str):
        query["categoryId"] = CATEGORY
    # A list goes on from a cursor that it gave, and by cursor or by page.
    if "cursor" in query:
        query["cursor"] = ""
        query.pop("page", None)
    # What was said after a message, or before one.
    if "after" in query:
        query.pop("before", None)
    # Messages of a branch that there is; in rooms it is a number.
    if "-" in str(query.get("before", "")):
        query.pop("before")
    # Types of webhooks that there are; and the endpoints are one's own.
    if "eventType" in query:
        query["eventType"] = "product.updated"
    query.pop("shop", None)
    # A link is what the server made of it, and no tool can.
    for name in ("expires", "signature"):
        query.pop(name, None)
    # A browser comes back where the shop allows it.
    if "redirectUrl" in query:
        query["redirectUrl"] = "http://localhost:5173"
    # What there is to print with, and what is ready.
    if "material" in query:
        query["material"] = "pla"
        query.pop("version", None)
    # The lower price is not above the higher one.
    if "minPrice" in query and "maxPrice" in query:
        query["minPrice"], query["maxPrice"] = sorted((query["minPrice"], query["maxPrice"]), key=float)


def refusals(case):
    """The statuses by which a request that is right may be refused, out of those its operation documents."""
    operation = case.operation.definition.raw
    public = {} in operation["security"]
    # A webhook is signed by its sender.
    if operation["operationId"] == "receive_hook":
        return {"401", "404"}
    # Something is in the way, such as a name that is taken.
    possible = {"409"}
    # The address or password of nobody; a list of drafts asked for by nobody.
    if ROLE == "anonymous" or operation["operationId"] in (
        "login",
        "login_with_code",
        "login_with_second_factor",
        "login_with_passkey",
        "refresh_session",
    ):
        possible.add("401")
    # The code of a letter or of a provider is made up, and so are the present password and the answer of a passkey.
    redeems = operation["operationId"] in (
        "login_with_provider",
        "link_identity",
        "promote_guest_with_provider",
        "create_passkey",
    )
    if redeems or operation["operationId"].startswith("confirm_"):
        possible.add("422")
    if operation["operationId"] in ("change_password", "request_email_change", "request_deletion", "reauthenticate_session"):
        possible.add("403")
    # The tool signed in too long ago for what is sensitive.
    if operation["operationId"] in SENSITIVE:
        possible.add("403")
    # There is no provider of language models.
    if operation["operationId"] in ("create_chat_answer", "create_generation"):
        possible.add("503")
    # The role is too low. Administrators may do everything, but not review what is their own.
    if ROLE == "seller" and not public or operation["operationId"] == "create_review":
        possible.add("403")
    # What is deleted, and a name in a URL, are made up; there is no provider.
    made_up = ("{slug}", "{name}", "{userId}", "{role}", "{provider}", "{imageId}", "{messageId}", "{chatId}", "{file}", "/me/passkeys/{id}", "/me/exports/{id}", "/assistant/generations/{id}")
    if case.method == "DELETE" or any(one in case.path for one in made_up):
        possible.add("404")
    # The code of no invitation; and the account and the key are the seller's, the upload is the administrator's.
    others = ROLE == "admin" and case.path.startswith(
        ("/api/v1/sellers/{id}", "/api/v1/api-keys/{id}", "/api/v1/libraries/{id}", "/api/v1/webhooks/endpoints/{id}", "/api/v1/conversations/{id}")
    )
    others = others or ROLE == "seller" and case.path.startswith("/api/v1/uploads/{id}")
    if others or operation["operationId"] == "accept_invitation":
        possible.add("404")
    # The file of a model is for who sells the product, and for who was granted it.
    if ROLE != "admin" and case.path.endswith("/versions/{number}/file"):
        possible.add("404")
    # Nobody here asked to be deleted.
    if operation["operationId"] == "get_deletion":
        possible.add("404")
    if "If-Match" in case.headers:
        possible.add("412")
    # A part of what is shorter.
    if "Range" in case.headers:
        possible.add("416")
    return possible & set(operation["responses"])


@schemathesis.check
def right_request_is_carried_out(ctx, response, case):
    if is_right(case):
        status = str(response.status_code)
        allowed = refusals(case)
        assert status[0] in "23" or status in allowed, (
            f"{case.operation.label} is right by the document and was answered {status}; "
            f"it may be refused with {', '.join(sorted(allowed)) or 'nothing'} only"
        )
