/** Thrown when more is asked for than there is. */
export class OutOfBytes extends Error {}

/** Reads the numbers and texts of a pg_dump archive. */
export class ByteReader {
  /** Bytes of a number, as the archive says. */
  intSize = 4
  #position = 0
  readonly #buffer: Buffer

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  bytes(count: number): Buffer {
    const end = this.#position + count
    if (end > this.#buffer.length) throw new OutOfBytes()
    const bytes = this.#buffer.subarray(this.#position, end)
    this.#position = end
    return bytes
  }

  /** What has not been read. */
  rest(): Buffer {
    return this.#buffer.subarray(this.#position)
  }

  byte(): number {
    return this.bytes(1).readUInt8()
  }

  /** A byte for the sign, then the bytes of the number, the lowest first. */
  int(): number {
    const negative = this.byte() !== 0
    let value = 0
    for (const [index, byte] of this.bytes(this.intSize).entries()) value += byte * 256 ** index
    return negative ? -value : value
  }

  /** Text after its length; `undefined` is a length below zero. */
  text(): string | undefined {
    const length = this.int()
    return length < 0 ? undefined : this.bytes(length).toString('utf8')
  }
}
