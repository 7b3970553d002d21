"""Calls at a constant rate, over connections that are kept."""

import asyncio
import time


class Connection:
    """Asks one thing at a time, and connects when it must."""

    def __init__(self, port, host="127.0.0.1"):
        self.host, self.port = host, port
        self.reader = self.writer = None

    async def ask(self, method, path, body=b"", headers=()):
        """The status of the answer, whose body is read."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await self.reader.readexactly(length)
        if b"\r\nconnection: close" in answer.lower():
            self.writer.close()
            self.writer = None
        return int(answer[9:12])


async def calls(rate, seconds, connections, ask, status):
    """Times in milliseconds, sorted. `ask` is given a connection and the number of the call, and gives a status, which must be this one.
    A call that is due waits for a free connection, and its waiting counts."""
    free, took = asyncio.Queue(), []
    for connection in connections:
        free.put_nowait(connection)

    async def one(number, due):
        connection = await free.get()
        given = await ask(connection, number)
        took.append((time.perf_counter() - due) * 1000)
        free.put_nowait(connection)
        if given != status:
            raise SystemExit(f"a call was answered {given}")

    began, tasks = time.perf_counter(), []
    for number in range(int(seconds * rate)):
        due = began + number / rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*tasks)
    return sorted(took)


def at(took, part):
    """The time that this part of sorted times does not exceed."""
    return took[min(len(took) - 1, int(len(took) * part))]
