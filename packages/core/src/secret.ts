const hidden = '[secret]'

/**
 * A value that never prints: not in logs, JSON, template strings, errors or the inspector.
 * `reveal()` is the one way to read it, and easy to search for.
 *
 * @example
 * ```ts
 * import { Secret } from '@holdfast/core'
 *
 * const password = new Secret('hunter2')
 * console.log(`${password}`, JSON.stringify({ password })) // [secret] {"password":"[secret]"}
 * password.reveal() // 'hunter2'
 * ```
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Call it where the value is used, never where it might be stored or printed. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return hidden
  }

  toJSON(): string {
    return hidden
  }

  [Symbol.toPrimitive](): string {
    return hidden
  }
}

// What `util.inspect` and `console.log` look for; outside the class body, where declarations can be isolated.
Object.defineProperty(Secret.prototype, Symbol.for('nodejs.util.inspect.custom'), { value: () => hidden })
