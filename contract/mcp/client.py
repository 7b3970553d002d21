"""Uses Souk's tools by the official client of the Model Context Protocol, and tells Souk what no client would.

usage: client.py SELLER_TOKEN SOUK_URL..    each message may go to another node
"""

import asyncio
import json
import sys

import httpx2
import mcp
from mcp.client.streamable_http import streamable_http_client

token, *urls = sys.argv[1:]
READING = ["search_products", "read_product", "list_similar_products"]
WRITING = ["list_own_products", "draft_listing"]


def client(url, token=None, mode="auto"):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    http = httpx2.AsyncClient(headers=headers, timeout=30)
    return mcp.Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode)


async def reads(url, mode):
    async with client(url, mode=mode) as anybody:
        assert [tool.name for tool in (await anybody.list_tools()).tools] == READING
        found = await anybody.call_tool("search_products", {"query": "lamp", "limit": 3})
        assert not found.is_error, found
        products = found.structured_content["products"]
        assert products and json.loads(found.content[0].text) == found.structured_content, found
        whole = await anybody.call_tool("read_product", {"productId": products[0]["id"]})
        assert whole.structured_content["name"] == products[0]["name"], whole
        like = await anybody.call_tool("list_similar_products", {"productId": products[0]["id"]})
        assert not like.is_error, like
        broken = await anybody.call_tool("search_products", {"query": "", "limit": 99})
        assert broken.is_error and "/query" in broken.content[0].text and "/limit" in broken.content[0].text, broken
        refused = await anybody.call_tool("draft_listing", {"name": "Lamp", "price": "1"})
        assert refused.is_error and refused.content[0].text == "Authentication required", refused
        try:
            await anybody.call_tool("drop_tables", {})
        except mcp.MCPError as unknown:
            assert unknown.error.code == -32602 and "drop_tables" in unknown.error.message, unknown
        else:
            raise AssertionError("a tool that there is not was called")
        return anybody.protocol_version


async def writes(here, there, mode):
    lamp = {"name": f"Lamp by way of {mode}", "price": "19.95", "stock": 2}
    async with client(here, token, mode) as seller:
        tools = {tool.name: tool for tool in (await seller.list_tools()).tools}
        assert list(tools) == READING + WRITING, tools
        assert tools["read_product"].annotations.read_only_hint and not tools["draft_listing"].annotations.read_only_hint
        assert tools["draft_listing"].input_schema["additionalProperties"] is False
        proposed = (await seller.call_tool("draft_listing", lamp)).structured_content
        assert proposed["status"] == "proposed" and lamp["name"] in proposed["summary"], proposed
        own = (await seller.call_tool("list_own_products", {"status": "draft"})).structured_content
        assert lamp["name"] not in [one["name"] for one in own["products"]], "nothing was confirmed"
    async with client(there, token, mode) as seller:
        confirmed = {**lamp, "confirmation": proposed["confirmation"]}
        made = [(await seller.call_tool("draft_listing", confirmed)).structured_content for _ in range(2)]
        assert made[0]["status"] == "draft" and made[0] == made[1], made
        own = (await seller.call_tool("list_own_products", {"status": "draft"})).structured_content
        assert [one["name"] for one in own["products"]].count(lamp["name"]) == 1, own
        dearer = await seller.call_tool("draft_listing", {**confirmed, "price": "1.00"})
        assert dearer.is_error and "/confirmation" in dearer.content[0].text, dearer
    async with client(here, mode=mode) as anybody:
        secret = await anybody.call_tool("read_product", {"productId": made[0]["id"]})
        assert secret.is_error and secret.content[0].text == "Product not found", secret


def tells(url):
    """What no client would send: each is answered in the form of the protocol."""
    head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    listing = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call"}
    for status, code, id, heads, body in (
        (400, -32700, None, {}, b"not json"),
        (400, -32600, None, {}, json.dumps([listing, listing])),
        (400, -32600, None, {}, json.dumps("tools/list")),
        (400, -32600, 7, {}, json.dumps({**listing, "jsonrpc": "1.0"})),
        (400, -32600, 7, {}, json.dumps({"jsonrpc": "2.0", "id": 7})),
        (400, -32600, None, {}, json.dumps({**listing, "id": {}})),
        (400, -32602, 7, {}, json.dumps({**call, "params": [1]})),
        (400, -32602, 7, {}, json.dumps({**call, "params": {"arguments": {}}})),
        (400, -32602, 7, {}, json.dumps({**call, "params": {"name": "read_product", "arguments": "x"}})),
        (413, -32600, None, {}, b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 10_000_000 + b'"}'),
        (415, -32600, None, {"Content-Type": "text/plain"}, json.dumps(listing)),
        (406, -32600, None, {"Accept": "text/html"}, json.dumps(listing)),
        (404, -32600, None, {"Mcp-Session-Id": "taken-from-somebody"}, json.dumps(listing)),
        (400, -32600, None, {"MCP-Protocol-Version": "1999-01-01"}, json.dumps(listing)),
        (403, -32000, None, {"Origin": "https://elsewhere.example"}, json.dumps(listing)),
        (401, -32000, None, {"Authorization": "Bearer over"}, json.dumps(listing)),
    ):
        answer = httpx2.post(f"{url}/mcp", headers={**head, **heads}, content=body, timeout=30)
        told = answer.json()
        expected = (status, "2.0", id, code)
        assert (answer.status_code, told["jsonrpc"], told["id"], told["error"]["code"]) == expected, (answer, told)
        assert told["error"]["message"], told
    unknown = httpx2.post(f"{url}/mcp", headers=head, json={**listing, "method": "tools/forget"}).json()
    assert (unknown["id"], unknown["error"]["code"]) == (7, -32601), unknown
    for method in ("GET", "DELETE"):
        answer = httpx2.request(method, f"{url}/mcp", headers=head)
        assert answer.status_code == 405 and answer.headers["allow"] == "POST", answer
        assert answer.json()["jsonrpc"] == "2.0", answer
    told = httpx2.post(f"{url}/mcp", headers=head, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert told.status_code == 202 and told.content == b"", told


async def main():
    versions = {await reads(url, mode) for url in urls for mode in ("auto", "legacy")}
    assert len(versions) == 2, versions
    for mode in ("auto", "legacy"):
        await writes(urls[0], urls[-1], mode)
    for url in urls:
        tells(url)
    print(f"the client of MCP uses the tools of {len(urls)} node(s), by the versions {', '.join(sorted(versions))}")


asyncio.run(main())
