import { connect, createServer, type Server, type Socket } from 'node:net'

/** Between a driver and a server: breaks the connections at a certain statement. */
export interface StatementProxy extends AsyncDisposable {
  readonly port: number
  /**
   * At the next statement that matches, every connection breaks: before the server has got it, or after it has done it
   * and before the client hears of it.
   *
   * @param then - What becomes of later connections. Default `open`.
   */
  cutAt(statement: RegExp, when: 'before' | 'after', then?: 'open' | 'closed'): void
  /** The same after so many statements, of which the server gets the last; no connection can be made then. */
  cutAfter(statements: number): void
  /** Whether that has happened. */
  readonly hasCut: boolean
}

/** Starts one on a free loopback port. What goes through must not be encrypted. */
export async function startStatementProxy(serverPort: number): Promise<StatementProxy> {
  const open = new Set<Socket>()
  let wanted: { readonly statement: RegExp; readonly when: 'before' | 'after' } | undefined
  let left = Number.POSITIVE_INFINITY
  let hasCut = false
  let isClosed = false
  let stays = false
  const cut = (): void => {
    hasCut = true
    isClosed = stays
    for (const socket of open) socket.destroy()
  }
  const proxy: Server = createServer((near) => {
    if (isClosed) return void near.destroy()
    const far = connect(serverPort, '127.0.0.1')
    let isLast = false
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.on('data', (bytes) => {
      if (left === 0) return
      if (wanted?.statement.test(bytes.toString('latin1'))) {
        if (wanted.when === 'before') cut()
        isLast = wanted.when === 'after'
        wanted = undefined
      }
      left--
      far.write(bytes, () => {
        if (left === 0) far.end(cut)
      })
    })
    far.on('data', (bytes) => {
      if (isLast) cut()
      else if (left > 0) near.write(bytes)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cutAt(statement, when, then = 'open') {
      wanted = { statement, when }
      stays = then === 'closed'
      hasCut = false
    },
    cutAfter(statements) {
      left = statements
      stays = true
    },
    get hasCut() {
      return hasCut
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}
