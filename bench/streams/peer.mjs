// What Souk's rooms are measured beside: the `ws` package of Node.js, one room, no history, no presence, no permissions.
//
//   node peer.mjs PORT
//
// Sends every client on /ws what is POSTed to /broadcast.
import http from 'node:http'
import { WebSocketServer } from 'ws'

const server = http.createServer((request, answer) => {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    const said = Buffer.concat(parts)
    for (const client of sockets.clients) client.send(said, { binary: false })
    answer.end()
  })
})
const sockets = new WebSocketServer({ server, path: '/ws', perMessageDeflate: false })
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 })
