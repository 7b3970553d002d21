"""Asks Souk's models by the official SDK of OpenAI for Python, as it would ask OpenAI itself: only the address differs.

usage: clients.py SOUK_URL TOKEN
"""

import sys

import openai

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
print("the SDK of Python is answered as by OpenAI")
