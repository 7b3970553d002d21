// Providers of language models that nobody here wrote: OpenAI, Anthropic, Gemini and Ollama at one address, which is printed.
import { LLMock } from '@copilotkit/aimock'

const mock = new LLMock({ port: 0, host: '127.0.0.1' })
mock.onMessage(/greet/i, {
  content: 'Good day to you, and to all of yours.', usage: { prompt_tokens: 21, completion_tokens: 13, total_tokens: 34 },
})
mock.onMessage(/weather/i, { toolCalls: [{ name: 'look_outside', arguments: '{"place":"Utrecht"}' }] })
mock.onMessage(/as json/i, { content: '{"colour":"blue"}' })
mock.onMessage(/too long/i, {
  error: { message: "This model's maximum context length is 10 tokens", type: 'invalid_request_error', code: 'context_length_exceeded' },
  status: 400,
})
mock.onMessage(/stranger/i, { error: { message: 'Incorrect API key provided: sk-abc', type: 'invalid_request_error', code: 'invalid_api_key' }, status: 401 })
mock.onEmbedding(/lamp/i, { embedding: [0.5, -0.25, 1] })
await mock.start()
console.log(mock.url)
