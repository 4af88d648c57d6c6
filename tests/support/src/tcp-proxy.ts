import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A proxy between a client and any server that speaks over TCP, whose connections break as told. */
export interface TcpProxy {
  readonly host: string
  readonly port: number
  /** Connections that were made since the start. */
  readonly connections: number
  /** Cuts every connection once the client has sent this many bytes more. Connections that come later live. */
  cutAfter(clientBytes: number): Promise<void>
  /** Cuts every connection. */
  cut(): void
  /** From now on, or not any more: nothing goes through, and connections stay open. */
  freeze(isFrozen: boolean): void
  stop(): Promise<void>
}

/** Starts a proxy before a server on this machine, on a free loopback port. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let connections = 0
  let frozen = false
  let budget: { left: number; readonly spent: () => void } | undefined

  const server = createServer((client) => {
    connections += 1
    const upstream = connect(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.once('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('data', (chunk) => {
        if (from === client && spend(chunk.length)) return
        if (!to.write(chunk)) {
          from.pause()
          to.once('drain', () => frozen || from.resume())
        }
      })
      if (frozen) from.pause()
    }
  })

  /** Whether these bytes are the ones too many. */
  function spend(bytes: number): boolean {
    if (!budget) return false
    budget.left -= bytes
    if (budget.left > 0) return false
    cut()
    budget.spent()
    budget = undefined
    return true
  }

  function cut(): void {
    for (const socket of sockets) socket.destroy()
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    cutAfter(clientBytes) {
      const { promise, resolve } = Promise.withResolvers<void>()
      budget = { left: clientBytes, spent: resolve }
      return promise
    },
    cut,
    freeze(isFrozen) {
      frozen = isFrozen
      for (const socket of sockets) isFrozen ? socket.pause() : socket.resume()
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      cut()
      await closed
    },
  }
}
