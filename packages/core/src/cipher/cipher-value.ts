import type * as z from 'zod'
import type { secretValue } from '../config-value.js'

/** A text, `{ env: 'NAME' }`, `{ file: '/run/secrets/x' }` or a {@link Secret}. */
export type CipherValue = z.input<typeof secretValue>
