// The page of a shop that talks to its assistant: useChat as its documentation shows it, against Souk's address alone.
import { useChat } from '@ai-sdk/react'
import { DefaultChatTransport } from 'ai'
import { useState } from 'react'
import { createRoot } from 'react-dom/client'

const { token, id } = JSON.parse(decodeURIComponent(location.hash.slice(1)))
const headers = { Authorization: `Bearer ${token}` }

/** What was said before. An answer that is under way comes by resuming it. */
async function history() {
  const read = async (path) => (await fetch(`/api/v1${path}`, { headers })).json()
  const { items } = await read('/conversations')
  const own = items.find((one) => one.clientId === id)
  if (!own) return []
  const { items: messages } = await read(`/conversations/${own.id}/messages`)
  return messages.filter((message) => message.state !== 'streaming')
}

function Chat({ before }) {
  const [input, setInput] = useState('')
  const transport = new DefaultChatTransport({ api: '/api/v1/chat', headers, body: { resumable: true } })
  const { messages, sendMessage, regenerate, status, error } = useChat({ id, messages: before, resume: true, transport })
  const text = (message) => message.parts.filter((part) => part.type === 'text').map((part) => part.text).join('')
  const send = (event) => {
    event.preventDefault()
    sendMessage({ text: input })
    setInput('')
  }
  return (
    <main data-status={status}>
      <ol>{messages.map((message) => <li key={message.id} data-id={message.id} className={message.role}>{text(message)}</li>)}</ol>
      {error && <p id="error">{error.message}</p>}
      <form onSubmit={send}>
        <input value={input} onChange={(event) => setInput(event.target.value)} />
        <button>Send</button>
      </form>
      <button id="again" onClick={() => regenerate()}>Again</button>
    </main>
  )
}

createRoot(document.getElementById('root')).render(<Chat before={await history()} />)
