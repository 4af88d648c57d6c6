/** What a stream of text for people or programs can do; `process.stdout` is one. */
export interface TextOutput {
  /** Whether it is a terminal. */
  readonly isTTY?: boolean | undefined
  /** Width of the terminal. */
  readonly columns?: number | undefined
  write(data: string | Uint8Array): boolean
  once(event: 'drain', listener: () => void): unknown
}

/** Where answers come from; `process.stdin` is one. */
interface TextInput extends AsyncIterable<string | Uint8Array> {
  readonly isTTY?: boolean | undefined
  /** Whether what is typed comes key by key and is not shown. */
  setRawMode?(raw: boolean): void
}

/** Everything the program knows of the outside: a test gives its own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute. */
  readonly cwd: string
  readonly stdin: TextInput
  readonly stdout: TextOutput
  readonly stderr: TextOutput
  /** Calls `listener` on Ctrl-C or when asked to end; returns what stops that. */
  onInterrupt(listener: () => void): () => void
  /** As if Ctrl-C had been pressed. */
  interrupt(): void
  /** Ends the process here and now. */
  exit(code: number): void
}
