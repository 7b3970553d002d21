"""What the document cannot say of requests that are right, told to schemathesis.

A rule that joins two parameters, or a field that names a row, has no word in OpenAPI. Where such a rule is met, the
request is changed so that it keeps it; every other fault of an answer stays a fault.
"""

import os
import re

import schemathesis

CATEGORY = os.environ["SOUK_CATEGORY"]
UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")


@schemathesis.hook
def before_call(context, case, kwargs):
    # The id of a category must be one of this shop.
    for part in (case.body, case.query):
        for name in ("categoryId", "parentId"):
            if isinstance(part, dict) and isinstance(part.get(name), str) and UUID.match(part[name]):
                part[name] = CATEGORY
    query = case.query
    if not query:
        return
    # A list goes on from a cursor that it gave, and by cursor or by page.
    if "cursor" in query and isinstance(query["cursor"], str):
        query["cursor"] = ""
        query.pop("page", None)
    # The lower price is not above the higher one.
    low, high = query.get("minPrice"), query.get("maxPrice")
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
        query["minPrice"], query["maxPrice"] = high, low
