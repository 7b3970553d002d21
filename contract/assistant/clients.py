"""Asks Souk's models by the official SDK of OpenAI for Python, as it would ask OpenAI itself: only the address differs.

usage: clients.py SOUK_URL TOKEN
"""

import json
import sys
import time

import openai

CHAT = "/v1/chat/completions"

url, token = sys.argv[1:]
client = openai.OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0)
greet = [{"role": "user", "content": "Greet me."}]

assert [one.id for one in client.models.list()] == ["claude", "gemini", "gpt", "llama", "qwen", "vectors"]
for model in ("gpt", "llama", "claude", "gemini"):
    whole = client.chat.completions.create(model=model, messages=greet)
    assert whole.choices[0].message.content == "Good day to you, and to all of yours.", whole
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (21, 13), whole
    stream = client.chat.completions.create(
        model=model, messages=greet, stream=True, stream_options={"include_usage": True}
    )
    text, usage = "", None
    for chunk in stream:
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        usage = chunk.usage or usage
    assert text == "Good day to you, and to all of yours.", text
    assert (usage.prompt_tokens, usage.completion_tokens) == (21, 13), usage

vectors = client.embeddings.create(model="vectors", input=["a lamp"])
assert vectors.data[0].embedding == [0.5, -0.25, 1], vectors

for error, body in (
    (openai.NotFoundError, {"model": "unheard of"}),
    (openai.BadRequestError, {"model": "gpt", "max_tokens": 0}),
):
    try:
        client.chat.completions.create(messages=greet, **body)
    except error as refused:
        assert refused.code in ("model_not_found", "invalid_value"), refused
    else:
        raise AssertionError(f"{body} was answered")


def lines(count: int, **more) -> bytes:
    """Lines of a batch, each asking for a greeting."""
    body = {"model": "gpt", "messages": greet, **more}
    asked = ({"custom_id": f"line-{n}", "method": "POST", "url": CHAT, "body": body} for n in range(count))
    return "".join(json.dumps(one) + "\n" for one in asked).encode()


def begun(content: bytes) -> openai.types.Batch:
    """A batch of these lines."""
    file = client.files.create(file=("asked.jsonl", content), purpose="batch")
    assert (file.purpose, file.bytes, file.filename) == ("batch", len(content), "asked.jsonl"), file
    return client.batches.create(
        input_file_id=file.id, endpoint=CHAT, completion_window="24h", metadata={"for": "a test"}
    )


def ended(batch: openai.types.Batch) -> openai.types.Batch:
    """The batch once it is over."""
    until = time.monotonic() + 120
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        assert time.monotonic() < until, batch
        time.sleep(0.2)
        batch = client.batches.retrieve(batch.id)
    return batch


batch = ended(begun(lines(5)))
assert (batch.status, batch.request_counts.completed, batch.error_file_id) == ("completed", 5, None), batch
assert batch.usage.total_tokens == 5 * (21 + 13), batch
output = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
assert [one["custom_id"] for one in output] == [f"line-{n}" for n in range(5)], output
for one in output:
    said = one["response"]["body"]["choices"][0]["message"]["content"]
    assert (one["response"]["status_code"], said) == (200, "Good day to you, and to all of yours."), one

failed = ended(begun(lines(1) + b"{\n" + lines(1, stream=True)))
assert failed.status == "failed", failed
faults = [(fault.line, fault.code) for fault in failed.errors.data]
assert faults == [(2, "invalid_json_line"), (3, "duplicate_custom_id")], failed

cancelled = client.batches.cancel(begun(lines(2000)).id)
assert cancelled.status == "cancelling", cancelled
assert ended(cancelled).status == "cancelled"

assert [one.id for one in client.batches.list(limit=2)][:3] == [cancelled.id, failed.id, batch.id]
files = [one.id for one in client.files.list(purpose="batch", limit=2)]
assert len(files) == len(set(files)) >= 3 and batch.input_file_id in files, files
assert client.files.delete(batch.input_file_id).deleted
for wrong in (lambda: client.files.retrieve(batch.input_file_id), lambda: client.batches.retrieve("batch_1")):
    try:
        wrong()
    except openai.NotFoundError as refused:
        assert refused.code in ("file_not_found", "batch_not_found"), refused
    else:
        raise AssertionError("what is gone was told")
print("the SDK of Python is answered as by OpenAI")
