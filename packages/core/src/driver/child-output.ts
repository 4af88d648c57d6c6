import type { Writable } from 'node:stream'
import type { ByteStream } from '../byte-stream.js'

/** One end of a pipe, for a child to be born with. Disposing closes it here; a child keeps its own. */
export interface PipeEnd extends Disposable {
  readonly descriptor: number
}

/** What another child reads: the write end of a pipe, or the standard input of that child. */
export type ChildSink = PipeEnd | Writable

/**
 * The standard output of a dump program that has not been started yet.
 *
 * Exactly one of `read` and `startInto` is called, once. Not yet started, because a hand-over of a running
 * child's output can lose what this process has read ahead; a child that is born with the compressor's input as
 * its own output cannot.
 */
export interface ChildOutput {
  /**
   * Starts the program and yields its output. Ends normally only if the program exited cleanly (the law of
   * {@link ByteStream}).
   */
  read(): ByteStream
  /**
   * Starts the program with its standard output connected to `sink` by descriptor: no byte passes through JavaScript.
   * This process's end of `sink` is closed at once, so that the other child sees the end when the program ends.
   */
  startInto(sink: ChildSink): void
  /**
   * Settles when the program has ended: resolves if it exited cleanly and its messages passed the warning policy,
   * rejects with a {@link BackupError} otherwise. After `startInto` this is the only word on whether the bytes that
   * went to the other child were all.
   */
  readonly done: Promise<void>
}
