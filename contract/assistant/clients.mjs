// Asks Souk's models by the official SDK of OpenAI and by the AI SDK, as they would ask OpenAI itself: only the address differs.
// usage: node clients.mjs SOUK_URL TOKEN
import assert from 'node:assert/strict'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, streamText } from 'ai'
import OpenAI from 'openai'

const [url, token] = process.argv.slice(2)
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 })
const says = (content) => [{ role: 'system', content: 'Be kind.' }, { role: 'user', content }]
const tools = [{
  type: 'function',
  function: {
    name: 'look_outside', description: 'How the weather is.',
    parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
  },
}]

const listed = (await client.models.list()).data.map((one) => one.id)
assert.deepEqual(listed, ['claude', 'gemini', 'gpt', 'llama', 'qwen', 'vectors'])

// The double of Ollama says zero of what was used, which says nothing: then what is told is a guess, and marked as one.
const tells = (model) => model !== 'qwen'
for (const model of ['gpt', 'llama', 'claude', 'gemini', 'qwen']) {
  const whole = await client.chat.completions.create({ model, messages: says('Greet me.') })
  assert.equal(whole.choices[0].message.content, 'Good day to you, and to all of yours.', model)
  assert.equal(whole.choices[0].finish_reason, 'stop', model)
  if (tells(model)) assert.deepEqual([whole.usage.prompt_tokens, whole.usage.completion_tokens], [21, 13], model)

  const stream = await client.chat.completions.create({
    model, messages: says('Greet me.'), stream: true, stream_options: { include_usage: true },
  })
  let [text, usage, pieces] = ['', null, 0]
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? ''
    usage = chunk.usage ?? usage
    pieces += 1
  }
  assert.equal(text, 'Good day to you, and to all of yours.', model)
  if (tells(model)) assert.deepEqual([usage.prompt_tokens, usage.completion_tokens], [21, 13], model)
  else assert.ok(usage.estimated && usage.completion_tokens > 0, model)
  assert.ok(pieces > 2, `${model}: ${pieces} pieces`)

  const wants = await client.chat.completions.create({ model, messages: says('How is the weather?'), tools })
  const call = wants.choices[0].message.tool_calls[0]
  assert.deepEqual([call.function.name, JSON.parse(call.function.arguments)], ['look_outside', { place: 'Utrecht' }], model)
  assert.equal(wants.choices[0].finish_reason, 'tool_calls', model)
  const piecewise = await client.chat.completions.create({ model, messages: says('How is the weather?'), tools, stream: true })
  let [name, given] = ['', '']
  for await (const chunk of piecewise) {
    const piece = chunk.choices[0]?.delta?.tool_calls?.[0]
    name += piece?.function?.name ?? ''
    given += piece?.function?.arguments ?? ''
  }
  assert.deepEqual([name, JSON.parse(given)], ['look_outside', { place: 'Utrecht' }], model)

  const provider = createOpenAICompatible({ name: 'souk', baseURL: `${url}/v1`, apiKey: token, includeUsage: true })
  const said = await generateText({ model: provider(model), prompt: 'Greet me.', maxRetries: 0 })
  assert.equal(said.text, 'Good day to you, and to all of yours.', model)
  const streamed = streamText({ model: provider(model), prompt: 'Greet me.', maxRetries: 0 })
  let words = ''
  for await (const piece of streamed.textStream) words += piece
  assert.equal(words, 'Good day to you, and to all of yours.', model)
  if (tells(model)) assert.equal((await streamed.usage).outputTokens, 13, model)
}

for (const model of ['gpt', 'gemini', 'qwen']) {
  const schema = { type: 'object', properties: { colour: { type: 'string' } }, required: ['colour'], additionalProperties: false }
  const told = await client.chat.completions.create({
    model, messages: says('The sky, as JSON.'),
    response_format: { type: 'json_schema', json_schema: { name: 'sky', schema, strict: true } },
  })
  assert.deepEqual(JSON.parse(told.choices[0].message.content), { colour: 'blue' })
}

const vectors = await client.embeddings.create({ model: 'vectors', input: ['a lamp', 'another lamp'] })
assert.deepEqual(vectors.data.map((one) => [...one.embedding]), [[0.5, -0.25, 1], [0.5, -0.25, 1]])

// Batches: a file with a question in each line, asked in the background.
const endpoint = '/v1/chat/completions'
const lines = (count) => Array.from({ length: count }, (_, n) => JSON.stringify({
  custom_id: `line-${n}`, method: 'POST', url: endpoint, body: { model: 'gpt', messages: says('Greet me.') },
}) + '\n').join('')
const begun = async (content) => {
  const file = await client.files.create({ file: await OpenAI.toFile(Buffer.from(content), 'asked.jsonl'), purpose: 'batch' })
  assert.deepEqual([file.purpose, file.bytes, file.filename], ['batch', Buffer.byteLength(content), 'asked.jsonl'])
  return client.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h', metadata: { for: 'a test' } })
}
const ended = async (batch) => {
  for (const until = Date.now() + 120_000; !['completed', 'failed', 'expired', 'cancelled'].includes(batch.status);) {
    assert.ok(Date.now() < until, JSON.stringify(batch))
    await new Promise((resolve) => setTimeout(resolve, 200))
    batch = await client.batches.retrieve(batch.id)
  }
  return batch
}
const batch = await ended(await begun(lines(5)))
assert.deepEqual([batch.status, batch.request_counts, batch.metadata], ['completed', { total: 5, completed: 5, failed: 0 }, { for: 'a test' }])
const output = (await (await client.files.content(batch.output_file_id)).text()).trim().split('\n').map((line) => JSON.parse(line))
assert.deepEqual(output.map((one) => one.custom_id), [0, 1, 2, 3, 4].map((n) => `line-${n}`))
for (const one of output) assert.equal(one.response.body.choices[0].message.content, 'Good day to you, and to all of yours.')
const failed = await ended(await begun(`${lines(1)}{\n`))
assert.deepEqual([failed.status, failed.errors.data.map((fault) => [fault.line, fault.code])], ['failed', [[2, 'invalid_json_line']]])
const cancelled = await client.batches.cancel((await begun(lines(2000))).id)
assert.equal((await ended(cancelled)).status, 'cancelled')
const batches = []
for await (const one of client.batches.list({ limit: 2 })) batches.push(one.id)
assert.deepEqual(batches.slice(0, 3), [cancelled.id, failed.id, batch.id])
assert.ok((await client.files.delete(batch.input_file_id)).deleted)
await assert.rejects(client.files.retrieve(batch.input_file_id), OpenAI.NotFoundError)

const refused = async (body) => {
  try {
    await client.chat.completions.create({ model: 'gpt', messages: says('Greet me.'), ...body })
  } catch (error) {
    assert.ok(error instanceof OpenAI.APIError, String(error))
    return `${error.status} ${error.code} ${error.param}`
  }
  assert.fail('it was answered')
}
assert.equal(await refused({ model: 'unheard of' }), '404 model_not_found model')
assert.equal(await refused({ temperature: 9 }), '400 invalid_value temperature')
assert.equal(await refused({ messages: says('This is too long.') }), '400 context_length_exceeded messages')
assert.equal(await refused({ messages: says('I am a stranger.') }), '502 provider_authentication null')
const nobody = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-nobody', maxRetries: 0 })
await assert.rejects(nobody.models.list(), OpenAI.AuthenticationError)
console.log('the SDKs of JavaScript are answered as by OpenAI')
