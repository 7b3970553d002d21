// A provider of a language model that nobody here wrote, whose address is printed.
import { LLMock } from '@copilotkit/aimock'

const mock = new LLMock({ port: 0, host: '127.0.0.1' })
mock.onMessage(/greet/i, { content: 'Good day to you, and to all of yours.' })
mock.onMessage(/slowly/i, { content: 'One word after the other, as slowly as anybody could wish for.' }, { latency: 150, chunkSize: 3 })
mock.onMessage(/break off/i, { content: 'This will not come to its end, whatever it says.' }, { chunkSize: 6, latency: 50, truncateAfterChunks: 4 })
await mock.start()
console.log(mock.url)
